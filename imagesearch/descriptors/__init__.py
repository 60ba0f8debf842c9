"""Global descriptors: one row of numbers a picture, made so that pictures alike have rows alike.

`kinds` has them by name. Nothing is imported here: decoding processes need the input plans alone.
"""
