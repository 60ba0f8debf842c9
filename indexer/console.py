"""What the indexer says to a person, or to a script."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from imagesearch.backbones import Int8Quality
from imagesearch.store.records import RefusedFile
from indexer.inspection import Status
from indexer.selftest.results import LEFT_OUT_SHOWN, LeftOut, Results, few_images_note, recall_at
from indexer.selftest.transformations import TRANSFORMATIONS
from indexer.summary import Summary


def summary_text(summary: Summary) -> str:
    lines = [
        f"{summary.added} added, {summary.changed} changed, {summary.kept} kept, {summary.dropped} dropped, "
        f"{summary.refused} refused; {summary.ignored} other files ignored.",
        *_refused_lines(summary.refused_first, summary.refused),
        *_kind_lines(summary.left_out),
        *_passed_over_lines(summary.passed_over),
        *_missing_lines(summary),
        *_damaged_lines(summary.damaged),
        f"{summary.described} images described"
        + (f" at {summary.photos_per_second:.1f} photos a second" if summary.photos_per_second else "")
        + f"; {summary.seconds:.1f} s in all.",
        f"Snapshot {summary.snapshot} {'is' if summary.published else 'stays'} live.",
        f"{summary.images} images, {summary.descriptor} of {summary.model}.",
    ]
    return "\n".join([*lines, *([summary.model_note] if summary.model_note else [])])


def change_text(summary: Summary) -> str:
    """One line, for those who watch; and what is missing, if anything."""
    line = (
        f"Snapshot {summary.snapshot}: {summary.added} added, {summary.changed} changed, {summary.dropped} "
        f"dropped; {summary.images} images, {summary.refused} files refused."
    )
    return "\n".join([line, *_missing_lines(summary)])


def status_text(status: Status) -> str:
    live = f"Snapshot {status.snapshot} of {status.created}" if status.snapshot else "Nothing published yet"
    lines = [
        f"{live}; {len(status.snapshots)} snapshots in all.",
        f"{status.images} images in {status.files} files, {status.refused} files refused.",
        *_refused_lines(status.refused_first, status.refused),
        f"{status.descriptor}, {status.dim} dimensions, of {status.model.name} {status.model.digest[:12]} "
        f"at {status.precision}.",
    ]
    if status.model_note:
        lines.append(status.model_note)
    if now := status.indexing:
        lines.append(f"An indexer is at work: {now.phase}, {now.done} of {now.total}.")
    elif status.unpublished:
        lines.append("An indexer is at work or was interrupted: run build to publish what it has done.")
    return "\n".join(lines)


def selftest_text(results: Results) -> str:
    index = results.index
    lines = [
        f"{results.tested} of {index.count} photos tested against snapshot {index.version}, "
        f"{index.descriptor} of {index.model}, in {results.seconds:.1f} s.",
        *_left_out_lines(results.left_out),
        *filter(None, [few_images_note(results)]),
        "",
        f"{'transformation':<15} {'recall@1':>8} {'recall@10':>9}",
    ]
    for each in TRANSFORMATIONS:
        outcomes = results.of(each)
        lines.append(
            f"{each.name:<15} {recall_at(1, outcomes):8.3f} {recall_at(10, outcomes):9.3f}  {each.what}"
        )
    return "\n".join([*lines, ""])


def int8_text(name: str, quality: Int8Quality) -> str:
    return (
        f"{name} is ready. Measured on {quality.photos} photos, their mean cosine to f32 is "
        f"{quality.cosine:.4f}, and {quality.overlap_at_10:.3f} of their ten nearest stay the same.\n"
        "A new store takes it with INDEXER_PRECISION=int8, an existing one with build --rebuild as well."
    )


def _left_out_lines(left_out: list[LeftOut]) -> list[str]:
    shown = [f"  left out {each.path}: {each.reason}" for each in left_out[:LEFT_OUT_SHOWN]]
    more = len(left_out) - len(shown)
    return [*shown, f"  … and {more} more"] if more else shown


def _refused_lines(first: list[RefusedFile], count: int) -> list[str]:
    lines = [f"  refused {file.path}: {file.detail}" for file in first]
    return [*lines, f"  … and {count - len(first)} more"] if count > len(first) else lines


def _kind_lines(left_out: dict[str, int]) -> list[str]:
    kinds = ", ".join(f"{count} × {kind}" for kind, count in left_out.items())
    return [f"Of kinds that are not accepted: {kinds}."] if kinds else []


def _passed_over_lines(passed_over: dict[str, int]) -> list[str]:
    kinds = ", ".join(f"{count} × {kind}" for kind, count in passed_over.items())
    return [f"Passed over: {kinds}."] if kinds else []


def _missing_lines(summary: Summary) -> list[str]:
    if not summary.missing:
        return []
    return [
        f"{summary.missing} of {summary.images} images are gone from the folder and stay in the index. Is a "
        "disk not mounted, or a sub-folder given? To let them go: build --accept-loss."
    ]


def _damaged_lines(count: int) -> list[str]:
    if not count:
        return []
    photos = "1 photo is damaged, and" if count == 1 else f"{count} photos are damaged, and"
    return [f"{photos} indexed as far as {'it shows' if count == 1 else 'they show'}."]


@contextmanager
def photo_bar(total: int) -> Iterator[Callable[[int], object]]:
    """A progress bar with rate and time left, where somebody is watching."""
    hidden = not total or not sys.stderr.isatty()
    with logging_redirect_tqdm(), tqdm(total=total, unit="photo", disable=hidden) as bar:
        yield bar.update


class ModelBar:
    """The progress of fetching and converting a model, where somebody is watching."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        """See `backbones.Progress`."""
        if not sys.stderr.isatty():
            return
        if self._bar is None:
            unit = "B" if what == "downloading" else "step"
            self._bar = tqdm(total=total, desc=what, unit=unit, unit_scale=True)
        self._bar.update(done - self._bar.n)
        if done >= total:
            self._bar.close()
            self._bar = None
