"""Vectors that lie in Milvus, a vector database of one machine or of many, instead of beside a snapshot."""
