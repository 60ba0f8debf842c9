"""Labelled pictures, read in place from folders or from zip files: one folder per label."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import UnreadableFile
from training.errors import UnusablePictures

PICTURE_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif", ".heic"})


@dataclass(frozen=True, slots=True, order=True)
class Picture:
    """One picture file, not yet read."""

    source: Path
    """A folder or a zip file."""
    path: str
    """Below the source, with forward slashes; its parent is the label's folder."""

    @property
    def label(self) -> str:
        """Folders of one name in two sources are two labels: nothing says that they mean the same."""
        return f"{self.source.stem}/{PurePosixPath(self.path).parent.name}"

    @property
    def is_held_out(self) -> bool:
        """Whether it lies below a folder val/: the set's own split."""
        return "val" in PurePosixPath(self.path).parts[:-2]


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """Pictures with the numbers of their labels."""

    pictures: tuple[Picture, ...]
    labels: NDArray[np.int32]
    """shape=(N,), each an index into `names`."""
    names: tuple[str, ...]
    """The labels' names, in alphabetical order."""

    def __len__(self) -> int:
        return len(self.pictures)

    def subset(self, rows: Sequence[int] | NDArray[np.intp]) -> LabelledPictures:
        """The pictures of these rows; the labels keep their numbers."""
        return LabelledPictures(
            tuple(self.pictures[row] for row in rows), self.labels[np.asarray(rows, np.intp)], self.names
        )

    def fingerprint(self) -> str:
        """Hexadecimal; changes when a picture or a label is added, renamed or taken away."""
        digest = hashlib.sha256()
        for picture in self.pictures:
            digest.update(f"{picture.source.name}\0{picture.path}\0".encode())
        return digest.hexdigest()


_archives = threading.local()


def read(picture: Picture) -> bytes:
    """The file's bytes. Raises UnreadableFile."""
    try:
        if picture.source.is_dir():
            return (picture.source / picture.path).read_bytes()
        return _archive(picture.source).read(picture.path)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise UnreadableFile(f"{picture.path} cannot be read.") from error


def _archive(path: Path) -> zipfile.ZipFile:
    """Opened once for each thread, because reading moves the file's position."""
    opened: dict[Path, zipfile.ZipFile] = _archives.__dict__.setdefault("opened", {})
    if path not in opened:
        opened[path] = zipfile.ZipFile(path)
    return opened[path]


def find_pictures(sources: Iterable[Path]) -> LabelledPictures:
    """All pictures that lie in a label's folder, in alphabetical order. Raises UnusablePictures."""
    found = sorted(picture for source in sources for picture in _pictures_of(source))
    names = sorted({picture.label for picture in found})
    number = {name: index for index, name in enumerate(names)}
    labels = np.array([number[picture.label] for picture in found], np.int32)
    return LabelledPictures(tuple(found), labels, tuple(names))


def _pictures_of(source: Path) -> list[Picture]:
    if source.is_dir():
        paths = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
    else:
        try:
            with zipfile.ZipFile(source) as archive:
                paths = archive.namelist()
        except (OSError, zipfile.BadZipFile) as error:
            raise UnusablePictures(f"{source} is neither a folder nor a readable zip file.") from error
    return [Picture(source, path) for path in paths if _is_labelled_picture(PurePosixPath(path))]


def _is_labelled_picture(path: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") for part in path.parts)
    return not hidden and len(path.parts) > 1 and path.suffix.lower() in PICTURE_ENDINGS


def split(
    pictures: LabelledPictures, share: float, seed: int, least: int = 1
) -> tuple[LabelledPictures, LabelledPictures]:
    """What to learn from, and what to measure on: never the same picture.

    A source's own val/ folders are held out; of a source without them, `share` of each label's pictures, at
    least `least` of them where as many remain.
    """
    rng = np.random.default_rng(seed)
    has_own = {picture.source for picture in pictures.pictures if picture.is_held_out}
    held_out = np.array([picture.is_held_out for picture in pictures.pictures], bool)
    splits_here = np.array([picture.source not in has_own for picture in pictures.pictures], bool)
    for label in range(len(pictures.names)):
        rows = np.flatnonzero((pictures.labels == label) & splits_here)
        if len(rows) >= 2 * least:
            count = min(max(least, round(share * len(rows))), len(rows) - least)
            held_out[rng.choice(rows, count, replace=False)] = True
    return pictures.subset(np.flatnonzero(~held_out)), pictures.subset(np.flatnonzero(held_out))


def pictures_per_label(pictures: LabelledPictures) -> dict[str, int]:
    """By the label's name, only labels that have any."""
    counts = Counter(pictures.labels.tolist())
    return {pictures.names[label]: count for label, count in sorted(counts.items())}
