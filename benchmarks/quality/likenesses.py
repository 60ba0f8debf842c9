"""What each word of likeness is worth: how many results it names, and what share of them is right."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.quality.searching import indexed, searching
from extractor_service.search.queries import MAX_LIMIT, FileQuery, SearchOptions, StoredQuery
from extractor_service.search.wiring import SearchCore
from imagesearch.ranking.likeness import Likeness

QUERIES = 300
"""Of each set, evenly drawn."""


def likeness_table(stores: Sequence[tuple[PhotoSet, Path]]) -> str:
    """Markdown: each word with its results a query and the share of them that is right; what unlike pictures
    get."""
    columns = [asyncio.run(_counted(photos.first(QUERIES), store_dir)) for photos, store_dir in stores]
    names = [photos.name for photos, _ in stores]
    heads = [f"{name}: {figure}" for name in names for figure in ("results a query", "right")]
    lines = [f"| word | {' | '.join(heads)} |", "| --- " * (len(heads) + 1) + "|"]
    for word in Likeness:
        cells = [cell for counts in columns for cell in _cells(counts, word)]
        lines.append(f"| `{word}` | {' | '.join(cells)} |")
    unlike = [asyncio.run(_best_words(store_dir)) for _, store_dir in stores]
    lines += ["", f"| picture | {' | '.join(f'most alike in {name}' for name in names)} |"]
    lines += ["| --- " * (len(names) + 1) + "|"]
    lines += [f"| {what} | {' | '.join(f'`{best[what]}`' for best in unlike)} |" for what in unlike[0]]
    return "\n".join(lines) + "\n"


async def _counted(photos: PhotoSet, store_dir: Path) -> Counter[tuple[str, bool]]:
    """Results by word and whether they are right, and the queries under ("queries", True)."""
    counts: Counter[tuple[str, bool]] = Counter()
    async with searching(store_dir) as core:
        records = indexed(core, photos)
        for query, right in photos.truth.relevant.items():
            counts["queries", True] += 1
            options = SearchOptions(limit=MAX_LIMIT)
            answer = await core.engine.search(StoredQuery(records[query].image_id), options)
            counts.update((hit.likeness, not right.isdisjoint(hit.record.paths)) for hit in answer.hits)
    return counts


def _cells(counts: Counter[tuple[str, bool]], word: Likeness) -> tuple[str, str]:
    right, wrong = counts[word, True], counts[word, False]
    found = right + wrong
    share = f"{right / found:.3f}" if found else "-"
    return f"{found / counts['queries', True]:.2f}", share


async def _best_words(store_dir: Path) -> dict[str, Likeness]:
    async with searching(store_dir) as core:
        return {what: await _best_word(core, picture) for what, picture in unlike_pictures().items()}


async def _best_word(core: SearchCore, picture: Image.Image) -> Likeness:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    answer = await core.engine.search(FileQuery(buffer.getvalue()), SearchOptions())
    words = list(Likeness)
    return min((hit.likeness for hit in answer.hits), key=words.index)


def unlike_pictures() -> Mapping[str, Image.Image]:
    """Pictures that no photo is alike to."""
    rng = np.random.default_rng(0)
    text = Image.new("RGB", (800, 600), "white")
    pen = ImageDraw.Draw(text)
    for top in range(20, 580, 14):
        pen.text((20, top), "The quick brown fox jumps over the lazy dog. " * 3, fill="black")
    return {
        "noise in colours": Image.fromarray(rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)),
        "grey noise": Image.fromarray(rng.integers(0, 256, (480, 640), dtype=np.uint8)),
        "a blank page": Image.new("RGB", (640, 480), "white"),
        "black": Image.new("RGB", (640, 480), "black"),
        "a screenshot of text": text,
    }
