"""Speed, scale and retrieval quality, each measured by a command anyone can rerun."""
