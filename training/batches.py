"""Batches as a pure function of seed and step, made ahead in processes of their own.

So a run that goes on from a checkpoint sees the very batches that an uninterrupted one would have seen,
however many processes make them.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imagesearch.errors import InvalidImage
from imagesearch.pictures.decode import ImageLimits, decode
from training.pictures import LabelledPictures, Picture, read
from training.views import Augmentation, Pixels, squeezed, view

REPLACEMENT_TRIES = 20
AHEAD = 3
"""Batches that are made or waiting for each process."""


@dataclass(frozen=True, slots=True)
class Batch:
    """V views of each of N pictures, the views of one picture next to each other."""

    pixels: NDArray[np.uint8]
    """shape=(N * V, S, S, 3), RGB."""
    labels: NDArray[np.int32]
    """shape=(N * V,)"""
    photos: NDArray[np.int32]
    """shape=(N * V,), which rows are views of one picture."""
    step: int
    unreadable: tuple[str, ...] = ()
    """Pictures that could not be decoded; others stand in for them."""


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What a batch is made of."""

    pictures: LabelledPictures
    count: int
    """Pictures in a batch."""
    views: int
    size_px: int
    augmentation: Augmentation
    limits: ImageLimits
    seed: int
    per_label: int = 0
    """Pictures of each label that are in the batch; 0 draws without looking at labels."""

    @property
    def steps_per_epoch(self) -> int:
        return max(1, len(self.pictures) // self.count)

    def make(self, step: int) -> Batch:
        """Raises InvalidImage when the set has next to no picture that can be decoded."""
        rng = np.random.default_rng([self.seed, step])
        rows = self._rows_by_label(rng) if self.per_label else self._rows_in_turn(step)
        pixels, labels, unreadable = [], [], []
        for row in rows:
            row, rgb, failed = self._decodable(int(row), rng)
            unreadable += failed
            pixels += [view(rgb, self.size_px, self.augmentation, rng) for _ in range(self.views)]
            labels += [self.pictures.labels[row]] * self.views
        photos = np.repeat(np.arange(len(rows), dtype=np.int32), self.views)
        return Batch(np.stack(pixels), np.array(labels, np.int32), photos, step, tuple(unreadable))

    def at(self, size_px: int) -> BatchPlan:
        return replace(self, size_px=size_px)

    def _rows_in_turn(self, step: int) -> NDArray[np.intp]:
        """Each picture once an epoch, in an order of that epoch; the last, part batch is left out."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self.seed, 1 << 31, epoch]).permutation(len(self.pictures))
        return order[place * self.count : (place + 1) * self.count]

    def _rows_by_label(self, rng: np.random.Generator) -> NDArray[np.intp]:
        """The same number of each label, so that every picture has others of its label beside it.

        A label with fewer pictures gives some of them twice, as different views; a rare label comes as often
        as a common one.
        """
        present = np.unique(self.pictures.labels)
        labels = rng.choice(present, min(len(present), self.count // self.per_label), replace=False)
        rows = []
        for label in labels:
            own = np.flatnonzero(self.pictures.labels == label)
            rows.append(rng.choice(own, self.per_label, replace=len(own) < self.per_label))
        return np.concatenate(rows)

    def _decodable(self, row: int, rng: np.random.Generator) -> tuple[int, Pixels, list[str]]:
        """The picture, or in place of a damaged one another of its label, if need be of any."""
        failed: list[str] = []
        for tries in range(REPLACEMENT_TRIES):
            try:
                return row, decode_picture(self.pictures.pictures[row], self.limits), failed
            except InvalidImage:
                failed.append(self.pictures.pictures[row].path)
                same = np.flatnonzero(self.pictures.labels == self.pictures.labels[row])
                row = int(rng.choice(same if tries < REPLACEMENT_TRIES / 2 else len(self.pictures)))
        raise InvalidImage(f"{REPLACEMENT_TRIES} pictures in a row cannot be decoded, {failed[0]} the first.")


def decode_picture(picture: Picture, limits: ImageLimits) -> Pixels:
    """shape=(H, W, 3), upright. Raises InvalidImage."""
    return decode(read(picture), limits).rgb


def whole_pictures(
    pictures: LabelledPictures, size_px: int, limits: ImageLimits
) -> tuple[NDArray[np.uint8], NDArray[np.intp], list[str]]:
    """Every picture squeezed into a square, as searching sees it.

    Returns the pixels, shape=(N, S, S, 3), the rows of `pictures` they are of, and the paths of those that
    cannot be decoded.
    """
    pixels, rows, unreadable = [], [], []
    for row, picture in enumerate(pictures.pictures):
        try:
            pixels.append(squeezed(decode_picture(picture, limits), size_px))
            rows.append(row)
        except InvalidImage:
            unreadable.append(picture.path)
    shape = (0, size_px, size_px, 3)
    return (np.stack(pixels) if pixels else np.empty(shape, np.uint8)), np.array(rows, np.intp), unreadable


_plan: BatchPlan | None = None


def _take_plan(plan: BatchPlan) -> None:
    global _plan
    _plan = plan
    import cv2

    cv2.setNumThreads(1)


def _make(step: int, size_px: int) -> Batch:
    assert _plan is not None
    return _plan.at(size_px).make(step)


def batches(plan: BatchPlan, sizes_px: dict[int, int], workers: int) -> Iterator[Batch]:
    """The batches of these steps, in their order.

    sizes_px: by step, the size of its views. workers: processes that make them.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_take_plan, initargs=(plan,)) as pool:
        waiting: list[Future[Batch]] = []
        try:
            for step, size_px in sizes_px.items():
                waiting.append(pool.submit(_make, step, size_px))
                if len(waiting) >= AHEAD * workers:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
