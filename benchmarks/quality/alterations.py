"""The self-test's altered photos on an evaluation set: which methods find what was cut, turned or redrawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.quality.configurations import Options
from benchmarks.quality.photo_sets import PhotoSet
from extractor_service.settings import ExtractorSettings
from imagesearch.backbones import load_backbone
from imagesearch.host.cpus import available_cpus
from imagesearch.store.layout import StoreLayout
from indexer.selftest.results import Choices, recall_at
from indexer.selftest.searches import search_all
from indexer.selftest.transformations import TRANSFORMATIONS

PHOTOS = 100


def alteration_table(photos: PhotoSet, searches: Mapping[str, tuple[Path, Options]]) -> str:
    """Markdown, one line a transformation. searches: store and options of each column, by its name."""
    columns = [recall_at_1(store_dir, photos, options) for store_dir, options in searches.values()]
    lines = [f"| altered | {' | '.join(searches)} |", "| --- " * (len(columns) + 1) + "|"]
    for each in TRANSFORMATIONS:
        figures = " | ".join(f"{column[each.name]:.2f}" for column in columns)
        lines.append(f"| {each.name}: {each.what} | {figures} |")
    return "\n".join(lines) + "\n"


def recall_at_1(store_dir: Path, photos: PhotoSet, options: Options) -> dict[str, float]:
    """By the names of the transformations: the share of PHOTOS photos found first."""
    settings = ExtractorSettings(store_dir=store_dir, verify_budget_ms=600_000)
    load = partial(load_backbone, StoreLayout(store_dir).models_dir, threads=available_cpus())
    choices = Choices(PHOTOS, seed=0, expand="expand" in options, verify="verify" in options)
    results = asyncio.run(search_all(settings, photos.folder, load, choices, _unwatched))
    return {each.name: recall_at(1, results.of(each)) for each in TRANSFORMATIONS}


@contextmanager
def _unwatched(total: int) -> Iterator[Callable[[int], object]]:
    yield lambda count: None
