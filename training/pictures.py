"""Labelled photos, one folder for each label: found, decoded once, and parted."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import InvalidImage, UnreadableFile
from imagesearch.pictures.decode import ImageLimits, decode
from imagesearch.pictures.formats import FORMATS
from imagesearch.pictures.plans import SquareInput
from training.errors import UnusablePictures
from training.files import whole_file

logger = logging.getLogger(__name__)

VALIDATION = "val"
"""A folder of this name, above those of its labels, holds what is only measured."""
MIN_PER_LABEL = 4
"""Two to learn from and two to measure with: one alone has nothing to find."""
MIN_LABELS = 2
MAX_MEASURED = 3000
_SUFFIXES = frozenset().union(*(image_format.suffixes for image_format in FORMATS))


@dataclass(frozen=True, slots=True)
class LabelledPhotos:
    """Photos as the network takes them; rows of `pixels` are those of `paths` and `labels`."""

    pixels: NDArray[np.uint8]
    """shape=(N, S, S, 3), RGB, mapped from a file."""
    paths: tuple[str, ...]
    """Below the folder of all, with forward slashes."""
    labels: NDArray[np.int32]
    """shape=(N,), each an index into `names`."""
    names: tuple[str, ...]
    unreadable: tuple[str, ...]
    """Paths of photos that cannot be decoded, and have no row."""

    def per_label(self, rows: NDArray[np.intp] | slice = slice(None)) -> dict[str, int]:
        """By the label's name, only labels that have any."""
        counts = Counter(self.labels[rows].tolist())
        return {self.names[label]: count for label, count in sorted(counts.items())}

    def fingerprint(self, rows: NDArray[np.intp]) -> str:
        """Hexadecimal; changes when a photo or a label is added, renamed or taken away."""
        return hashlib.sha256(json.dumps([self.paths[row] for row in rows]).encode()).hexdigest()


def read_photos(
    folder: Path,
    decoded: Path,
    size_px: int,
    limits: ImageLimits,
    progress: Callable[[str, int], Callable[[int], object]],
) -> LabelledPhotos:
    """The photos below a folder, their pixels kept in the file `decoded`, 3 * size_px ** 2 bytes each.

    Raises UnusablePictures where too few can be decoded, DiskFull.
    """
    found = _find(folder)
    _require_labels(folder, Counter(map(_label, found)))
    advance, plan = progress("reading", len(found)), SquareInput(size_px)
    paths, unreadable = [], []
    with whole_file(decoded) as file:
        for path in found:
            try:
                file.write(plan.prepare(decode(_read(folder / path), limits).rgb).tobytes())
                paths.append(path)
            except InvalidImage:
                logger.warning("%s cannot be decoded and is left out.", path)
                unreadable.append(path)
            advance(1)
    _require_labels(folder, Counter(map(_label, paths)))
    names, labels = np.unique([_label(path) for path in paths], return_inverse=True)
    pixels = np.memmap(decoded, np.uint8, "r", shape=(len(paths), size_px, size_px, 3))
    return LabelledPhotos(
        pixels, tuple(paths), labels.astype(np.int32), tuple(names.tolist()), tuple(unreadable)
    )


def split(photos: LabelledPhotos, share: float, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to learn from and rows to measure with; a label with fewer than four photos has neither.

    What lies below a folder val/ is measured, and nothing else where there is one, so that labels can be
    measured which are not learnt. Without one it is `share` of each label's photos.
    """
    rng = np.random.default_rng(seed)
    measured = np.array([VALIDATION in PurePosixPath(path).parts[:-2] for path in photos.paths])
    draws = not measured.any()
    learnt = ~measured
    for label in range(len(photos.names)):
        rows = np.flatnonzero(photos.labels == label)
        if len(rows) < MIN_PER_LABEL:
            learnt[rows] = measured[rows] = False
        elif draws:
            count = min(max(2, round(share * len(rows))), len(rows) - 2)
            measured[rng.choice(rows, count, replace=False)] = True
    rows = np.flatnonzero(measured)
    return np.flatnonzero(learnt & ~measured), np.sort(rng.permutation(rows)[:MAX_MEASURED])


def _find(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UnusablePictures(f"There is no folder {folder}.")
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if _is_labelled_photo(path))


def _is_labelled_photo(path: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and len(path.parts) > 1 and path.suffix.lower() in _SUFFIXES


def _label(path: str) -> str:
    return PurePosixPath(path).parent.name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read.") from error


def _require_labels(folder: Path, counts: Counter[str]) -> None:
    enough = sum(count >= MIN_PER_LABEL for count in counts.values())
    if enough < MIN_LABELS:
        raise UnusablePictures(
            f"Fine-tuning needs at least {MIN_LABELS} folders, one per label, of at least {MIN_PER_LABEL} "
            f"photos that can be decoded; {folder} has {enough} such folders of {len(counts)}, with "
            f"{counts.total()} photos in all."
        )
