"""`python -m indexer match`: which files are in the collection already."""
