"""The folders of a collection, counted from the paths of its images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from operator import itemgetter


def image_counts(paths: Iterable[tuple[int, str]]) -> dict[str, int]:
    """How many images are in each folder or below it. An image of several paths there counts once.

    paths: rows of images with their paths, those of one row together.
    """
    counts = Counter[str]()
    folders_above = cache(lambda folder: frozenset(_with_parents(folder)))
    for _, files in groupby(paths, key=itemgetter(0)):
        counts.update(frozenset().union(*(folders_above(path.rpartition("/")[0]) for _, path in files)))
    return dict(counts)


def folders_above(path: str) -> Iterator[str]:
    """The folder of a file, the one above, and so on."""
    return _with_parents(path.rpartition("/")[0])


def _with_parents(folder: str) -> Iterator[str]:
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
