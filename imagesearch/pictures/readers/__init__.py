"""What is particular about each kind of file: its structure, its colours, its damages."""
