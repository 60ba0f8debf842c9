"""Describing photos on many machines, by Dask."""
