"""What is learnt of a ledger's photos, and what it makes of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from imagesearch.descriptors.base import Encodings
from imagesearch.descriptors.choices import LOCAL_KINDS
from imagesearch.descriptors.kinds import LEARNING_PICTURES, learn_encoding
from imagesearch.errors import ModelMismatch
from imagesearch.local_features.storage import from_blob
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import Ledger
from imagesearch.store.records import ImageRecord
from imagesearch.store.snapshot import Snapshot

Kept = TypeVar("Kept")

# Any constant does: equal collections learn alike.
_SEED = 20121007


def learn(ledger: Ledger) -> Encodings:
    """From at most LEARNING_PICTURES of the photos. Raises InvalidOption where they are too few."""
    recipe = ledger.publishable_recipe
    sample = _sampled_ids(ledger)
    vectors: Sequence[NDArray[np.float32]]
    if recipe.descriptor in LOCAL_KINDS:
        vectors = _Sample(list(ledger.local_features(sample)), _root_sift)
    else:
        vectors = _Sample([vectors for _, vectors in ledger.images(sample)], _widened)
    return Encodings(*learn_encoding(recipe.descriptor, recipe.settings, recipe.dim, vectors))


def taken_from(other: StoreLayout, ledger: Ledger) -> Encodings:
    """What another store has learnt. Raises StoreError, and ModelMismatch where it describes otherwise."""
    recipe = ledger.publishable_recipe
    with Snapshot.open(other) as snapshot:
        theirs, encodings = snapshot.manifest.recipe, snapshot.encodings
    if theirs != recipe and (recipe.local_features or replace(theirs, local_features=False) != recipe):
        raise ModelMismatch(
            f"The store {other.root} describes photos otherwise, so that nothing it has learnt fits: "
            "build both with the same settings."
        )
    return encodings


def encoded(
    ledger: Ledger, encodings: Encodings, image_ids: Sequence[str] | None = None
) -> Iterator[tuple[ImageRecord, NDArray[np.float32]]]:
    """The images as `Ledger.images` gives them, each with its descriptor, shape=(D,)."""
    encode = encodings.descriptor.encode
    images = ledger.images(image_ids)
    if ledger.recipe.descriptor not in LOCAL_KINDS:
        yield from ((image, encode(vectors.astype(np.float32))) for image, vectors in images)
        return
    for (image, _), blob in zip(images, ledger.local_features(image_ids), strict=True):
        yield image, encode(from_blob(blob).root_sift)


class _Sample(Sequence[NDArray[np.float32]], Generic[Kept]):
    """The vectors of pictures in random order, shape=(N, C) each, made one by one of what is kept of them:
    they are many times as large."""

    def __init__(self, compact: list[Kept], vectors: Callable[[Kept], NDArray[np.float32]]) -> None:
        self._compact = compact
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._compact)

    @overload
    def __getitem__(self, place: int) -> NDArray[np.float32]: ...
    @overload
    def __getitem__(self, place: slice) -> _Sample[Kept]: ...
    def __getitem__(self, place: int | slice) -> NDArray[np.float32] | _Sample[Kept]:
        if isinstance(place, slice):
            return _Sample(self._compact[place], self._vectors)
        return self._vectors(self._compact[place])


def _sampled_ids(ledger: Ledger) -> list[str]:
    """Ascending. Ids are hashes, so that any order of them is random to the photos."""
    ids = list(ledger.image_ids())
    chosen = np.random.default_rng(_SEED).permutation(len(ids))[:LEARNING_PICTURES]
    return [ids[place] for place in np.sort(chosen)]


def _root_sift(blob: bytes) -> NDArray[np.float32]:
    return from_blob(blob).root_sift


def _widened(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    return vectors.astype(np.float32)
