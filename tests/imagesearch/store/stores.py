"""Small stores for the tests of this room."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.base import ModelIdentity, Precision
from imagesearch.local_features import LocalFeatures
from imagesearch.local_features.storage import from_blob, to_blob
from imagesearch.store.content import SnapshotContent
from imagesearch.store.layout import image_id_of
from imagesearch.store.ledger import DescribedImage, FileState
from imagesearch.store.recipe import Recipe
from imagesearch.store.records import ImageRecord, RefusedFile
from tests.imagesearch.local_features.random_features import some_features

DIM = 8
RECIPE = Recipe("fc6", DIM, ModelIdentity("fake", "f" * 64, "fake-32-1"), Precision.F32)
RECIPE_WITH_LOCAL_FEATURES = replace(RECIPE, local_features=True)


def descriptor(seed: int) -> NDArray[np.float16]:
    row = np.random.default_rng(seed).random(DIM)
    return (row / np.linalg.norm(row)).astype(np.float16)


def sha256(seed: int) -> str:
    return hashlib.sha256(str(seed).encode()).hexdigest()


def image_id(seed: int) -> str:
    return image_id_of(sha256(seed))


def record(seed: int, *paths: str) -> ImageRecord:
    return ImageRecord(image_id(seed), paths or (f"{seed}.jpg",), 64, 48, "image/jpeg", 1000 + seed)


def content(seeds: Iterable[int], refused: Sequence[RefusedFile] = (), note: str = "") -> SnapshotContent:
    rows = sorted(((record(seed), descriptor(seed)) for seed in seeds), key=lambda row: row[0].image_id)
    return SnapshotContent(RECIPE, note, len(rows), rows, refused)


def features(seed: int) -> LocalFeatures:
    """From none to five of them."""
    return some_features(seed % 6, seed)


def kept_features(seed: int) -> LocalFeatures:
    """The same, as a store gives them back."""
    return from_blob(to_blob(features(seed)))


def content_with_local_features(seeds: Iterable[int]) -> SnapshotContent:
    listed = sorted(seeds, key=image_id)
    return replace(
        content(listed),
        recipe=RECIPE_WITH_LOCAL_FEATURES,
        local_features=[to_blob(features(seed)) for seed in listed],
    )


def file(path: str, size_bytes: int = 1000, mtime_ns: int = 1) -> FileState:
    return FileState(path, size_bytes, mtime_ns)


def described(seed: int, *paths: str) -> DescribedImage:
    files = [file(path) for path in paths or (f"{seed}.jpg",)]
    return DescribedImage(
        sha256(seed), 1000 + seed, 64, 48, "image/jpeg", descriptor(seed)[np.newaxis], files
    )
