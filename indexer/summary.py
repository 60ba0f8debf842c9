"""What a build did."""

from __future__ import annotations

from dataclasses import dataclass

from imagesearch.store.records import RefusedFile

REFUSED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts are of files, except where they say otherwise."""

    snapshot: str
    """The live snapshot's version."""
    published: bool
    """False where the snapshot that was live already says it all."""
    images: int
    """Distinct images in the index."""
    descriptor: str
    model: str
    model_note: str
    added: int
    """In the index, and not before."""
    changed: int
    """In the index as before, with another content."""
    kept: int
    """In the index as before."""
    dropped: int
    """Gone from the folder, and so from the index."""
    refused: int
    """All that cannot be indexed, found by this build or before."""
    refused_first: list[RefusedFile]
    """The first of them in order of path."""
    ignored: int
    """No photos by their names, or hidden."""
    described: int
    """Images that went through the network."""
    seconds: float
    """The whole build."""
    photos_per_second: float
    """New and changed files, while they were taken in; 0 where there were none."""
