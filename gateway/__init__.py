"""The web: page, JSON, uploads, limits."""

__version__ = "1.0.0"
"""Of the whole project. pyproject.toml reads it here, where it is known without an installation too."""
