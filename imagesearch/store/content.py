"""What to publish: a whole collection, or what tells it from the live snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import Int8Quality
from imagesearch.descriptors.base import Encodings
from imagesearch.descriptors.summed import Summed
from imagesearch.index.kinds import IndexPlan
from imagesearch.store.manifest import Manifest
from imagesearch.store.recipe import Recipe
from imagesearch.store.records import ImageRecord, RefusedFile


@dataclass(frozen=True, slots=True)
class Base:
    """A snapshot that the next one goes on from: its segments stay as they are."""

    manifest: Manifest
    deleted: Sequence[str] = ()
    """Ids of its images that are gone. Their rows stay, but nobody finds them any more."""
    moved: Sequence[ImageRecord] = ()
    """Images that it holds and whose paths have become others, or whose dates have become known."""


@dataclass(frozen=True, slots=True)
class SnapshotContent:
    """Each stream is read once, so that no collection has to fit in memory."""

    recipe: Recipe
    model_note: str
    count: int
    """Images to write."""
    images: Iterable[tuple[ImageRecord, NDArray[np.floating]]]
    """`count` of them in ascending order of image_id, with their descriptors, shape=(D,)."""
    refused: Iterable[RefusedFile]
    index: IndexPlan = IndexPlan()
    local_features: Iterable[bytes] = ()
    """One blob an image, in the order of `images`; read only where the recipe asks for them."""
    conv_maps: Iterable[bytes] = ()
    """The same of convolutional maps."""
    int8_quality: Int8Quality | None = None
    """Of the network, where the recipe's precision is int8."""
    known: NDArray[np.float16] | None = None
    """See `Snapshot.known`."""
    learnt: Encodings | None = None
    """What made the vectors of pictures their descriptors; None where that is nothing but a sum."""
    base: Base | None = None
    """None where the images are the whole collection. Else they are those that the base lacks, and the recipe
    is the base's."""

    @property
    def encodings(self) -> Encodings:
        return self.learnt or Encodings(Summed(self.recipe.dim))

    @property
    def shared_rows(self) -> list[int]:
        """Rows of each of the base's segments."""
        return [] if self.base is None else self.base.manifest.segment_rows

    @property
    def segment_rows(self) -> list[int]:
        """Rows of each segment of the new snapshot: at least one segment, and no further empty one."""
        return [*self.shared_rows, self.count] if self.count or not self.shared_rows else self.shared_rows
