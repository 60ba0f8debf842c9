"""Adapts a network to one's own photos.

The same code runs on every backend of Keras and on processor or GPU; what it writes is a weights' file that
the indexer takes, so nothing here is needed to search.
"""
