"""What is learnt of photos (words, axes, whitening), learnt on the photos searched or on others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from benchmarks.quality.configurations import PLAIN, named
from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.quality.searching import ranked, searching
from benchmarks.quality.stores import store_of
from benchmarks.retrieval import evaluate

LEARNING = ("spoc, whitened", "rmac, whitened", "gem, whitened", "bof", "vlad", "temb")
"""Names of configurations."""


def learnt_elsewhere_table(photos: PhotoSet, others: PhotoSet, model: str) -> str:
    """Markdown, one line a configuration: mAP on the photos. others: what it is learnt on instead."""
    lines = [f"| {photos.name} mAP | learnt on the photos searched | on {others.name} |", "| --- " * 3 + "|"]
    for configuration in map(named, LEARNING):
        own = store_of(photos, configuration, model, configuration.searches)
        theirs = store_of(others, configuration, model, (PLAIN,))
        learnt_from = {"learnt_from": str(theirs.resolve())}
        elsewhere = replace(configuration, settings={**configuration.settings, **learnt_from})
        figures = [
            asyncio.run(mean_average_precision(store_dir, photos))
            for store_dir in (own, store_of(photos, elsewhere, model, (PLAIN,)))
        ]
        lines.append(f"| {configuration.name} | {' | '.join(f'{figure:.3f}' for figure in figures)} |")
    return "\n".join(lines) + "\n"


async def mean_average_precision(store_dir: Path, photos: PhotoSet) -> float:
    """Of plain searches."""
    async with searching(store_dir) as core:
        answered = await ranked(core, photos, PLAIN)
    return evaluate(photos.truth, answered.rankings).mean_average_precision
