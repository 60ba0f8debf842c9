"""Retrieval quality through the indexer and the engine that a user runs: `python -m benchmarks.quality`.

For every configuration the photos of an evaluation set are indexed into a store, and each query of the set is
searched for in it. Stores are kept between runs.
"""
