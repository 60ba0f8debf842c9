"""A test of the index that needs no labels: altered photos of the collection must find their originals."""
