"""A query as the index and a closer look see it: one descriptor, and the photos it was made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extractor_service.search.queries import QueryImage, QueryPhoto
from imagesearch.local_features import LocalFeatures
from imagesearch.ranking.expansion import rocchio


@dataclass(frozen=True, slots=True)
class DescribedPhoto:
    """One photo of a query."""

    descriptor: NDArray[np.float32]
    """shape=(D,), L2-normalised."""
    image: QueryImage
    preview: bytes
    image_id: str
    """Empty where it came as a file."""
    content_id: str
    """The id that an image of its file's bytes has."""
    row: int | None
    """Where it is an indexed image."""
    local_features: LocalFeatures | None
    """None unless the search verifies or they are what describes the photo."""
    mac_vectors: NDArray[np.float32] | None
    """shape=(V, C), of which the one that is answered best counts; None unless the search localises."""


@dataclass(frozen=True, slots=True)
class DescribedQuery:
    """The positive photos are looked for in the results, all within one budget."""

    descriptor: NDArray[np.float32]
    """shape=(D,), L2-normalised."""
    positives: Sequence[DescribedPhoto] = ()
    """None for a vector and for words alone."""
    negatives: Sequence[DescribedPhoto] = ()
    has_words: bool = False

    @classmethod
    def of_one(cls, photo: DescribedPhoto) -> DescribedQuery:
        return cls(photo.descriptor, [photo])

    @classmethod
    def combined(
        cls,
        positives: Sequence[DescribedPhoto],
        negatives: Sequence[DescribedPhoto],
        words: NDArray[np.float32] | None = None,
    ) -> DescribedQuery:
        """positives: at least one, or words: their descriptor, shape=(D,), L2-normalised."""
        descriptors = [photo.descriptor for photo in positives]
        if words is not None:
            descriptors.append(words)
        descriptor = rocchio(np.array(descriptors, np.float32), _descriptors(negatives))
        return cls(descriptor, positives, negatives, has_words=words is not None)

    @property
    def of_words(self) -> bool:
        """Whether words alone are looked for, whose distances to images are of their own kind."""
        return self.has_words and not self.positives

    @property
    def only_whole_photo(self) -> DescribedPhoto | None:
        """The query, where that is one whole photo and nothing else."""
        is_alone = len(self.positives) == 1 and not self.negatives and not self.has_words
        return self.positives[0] if is_alone and self.positives[0].image.region is None else None

    @property
    def image(self) -> QueryImage | None:
        """The first positive one of several; None where there is none."""
        return self.positives[0].image if self.positives else None

    @property
    def preview(self) -> bytes:
        """The same one's."""
        return self.positives[0].preview if self.positives else b""

    @property
    def photos(self) -> list[QueryPhoto]:
        """The positives first."""
        return [
            *(_query_photo(photo, negative=False) for photo in self.positives),
            *(_query_photo(photo, negative=True) for photo in self.negatives),
        ]

    @property
    def own_rows(self) -> list[int]:
        """Of its photos that are indexed images."""
        return sorted({photo.row for photo in (*self.positives, *self.negatives) if photo.row is not None})

    @property
    def local_features(self) -> list[LocalFeatures]:
        """Of each photo to look for."""
        return [photo.local_features for photo in self.positives if photo.local_features is not None]

    @property
    def mac_vectors(self) -> list[NDArray[np.float32]]:
        """The same to localise, one or more of each: shape=(C,), not normalised."""
        found = [photo.mac_vectors for photo in self.positives if photo.mac_vectors is not None]
        return [vector for vectors in found for vector in vectors]


def _descriptors(photos: Iterable[DescribedPhoto]) -> NDArray[np.float32]:
    return np.array([photo.descriptor for photo in photos], np.float32)


def _query_photo(photo: DescribedPhoto, negative: bool) -> QueryPhoto:
    image = photo.image
    return QueryPhoto(photo.image_id, negative, image.width, image.height, image.damaged, photo.preview)
