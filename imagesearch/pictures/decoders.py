"""Which decoders there are: a file that these refuse, others may accept."""

from __future__ import annotations

from importlib.metadata import version

READERS_VERSION = 2
"""Of our own part, `readers` and `formats`: it grows when they accept files that they refused before."""
PACKAGES = ("pillow", "pillow-heif", "simplejpeg")
"""Their wheels hold the libraries that decode."""


def decoders_version() -> str:
    """Such as "1, pillow 13.0.0, pillow-heif 1.8.1": the same while files are decoded alike."""
    return ", ".join([str(READERS_VERSION), *(f"{package} {version(package)}" for package in PACKAGES)])
