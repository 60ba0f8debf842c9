"""Duplicates in Holidays with altered copies among them: how many are found, and what is called one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.quality.stores import STORES_DIR, built_store
from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicates import Pair, read_duplicates
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from indexer.selftest.transformations import (
    TRANSFORMATIONS,
    Pixels,
    Transformation,
    cropped,
    recompressed,
)

ALTERED_PHOTOS = 20
ALTERED_DIR = "altered"


def mirrored(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    return np.ascontiguousarray(rgb[:, ::-1])


def bordered(rgb: Pixels, rng: np.random.Generator, share: float) -> Pixels:
    """share: of the long side, on each side."""
    width = round(share * max(rgb.shape[:2]))
    return np.asarray(ImageOps.expand(Image.fromarray(rgb), width, "white"))


def captioned(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """A black bar below, with white marks as of a line of text."""
    height, width = rgb.shape[:2]
    bar = np.zeros((height // 6, width, 3), np.uint8)
    line = bar[height // 18 : height // 9, width // 10 : width * 3 // 4]
    line[:] = 255 * rng.integers(0, 2, (*line.shape[:2], 1))
    return np.concatenate((rgb, bar))


MORE = (
    Transformation("crop-80", "four fifths of its area, anywhere", partial(cropped, area=0.8)),
    Transformation("crop-40", "two fifths of its area, anywhere", partial(cropped, area=0.4)),
    Transformation("jpeg-30", "saved as JPEG at quality 30", partial(recompressed, quality=30)),
    Transformation("mirror", "left and right exchanged", mirrored),
    Transformation("border", "a white border of 8 % of the long side", partial(bordered, share=0.08)),
    Transformation("caption", "a bar below with a line on it", captioned),
)


def alterations() -> Iterator[Transformation]:
    yield from (each for each in TRANSFORMATIONS if each.name != "unchanged")
    yield from MORE


def duplicates_table(photos: PhotoSet, model: str) -> str:
    """Markdown: of each alteration the share of copies called altered, then what else is called so."""
    folder = STORES_DIR / "duplicates" / "photos"
    _write(photos, folder)
    mixed = PhotoSet("duplicates", folder, photos.truth)
    settings = {"descriptor": "auto", "model": model, "local_features": "true"}
    store_dir = built_store(mixed, settings, fresh=False)
    layout = StoreLayout(store_dir)
    with Snapshot.open(layout) as snapshot:
        pairs, records = snapshot.akin(read_duplicates(layout).pairs)
    paths = {image_id: record.paths[0] for image_id, record in records.items()}
    called = {pair for pair, kind in pairs.items() if kind is not Kinship.SIMILAR}
    originals = sorted(path.stem for path in (folder / ALTERED_DIR / "mirror").iterdir())
    found = {_source(paths[image_id]) for pair in called if _is_right(pair, paths) for image_id in pair}
    lines = ["| altered | called `altered` |", "| --- | --- |"]
    for each in alterations():
        count = sum((each.name, original) in found for original in originals)
        lines.append(f"| {each.name}: {each.what} | {count / len(originals):.2f} |")
    return "\n".join(lines) + f"\n\n{_verdict(called, pairs, paths)}\n"


def _write(photos: PhotoSet, folder: Path) -> None:
    """Every photo, and altered copies of some in a folder of their own."""
    if folder.is_dir():
        return
    shutil.copytree(photos.folder, folder)
    names = sorted(photos.truth.relevant)
    for name in names[:: max(1, len(names) // ALTERED_PHOTOS)][:ALTERED_PHOTOS]:
        rgb = np.asarray(Image.open(photos.folder / name).convert("RGB"))
        for place, each in enumerate(alterations()):
            path = folder / ALTERED_DIR / each.name / f"{Path(name).stem}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            altered = each.apply(rgb, np.random.default_rng(place))
            Image.fromarray(altered).save(path, quality=90)


def _source(path: str) -> tuple[str, str]:
    """Alteration, empty for none, and name of the original without its suffix."""
    parts = Path(path).parts
    return (parts[1] if parts[0] == ALTERED_DIR else "", Path(path).stem)


def _is_right(pair: Pair, paths: dict[str, str]) -> bool:
    left, right = (_source(paths[image_id])[1] for image_id in pair)
    return left == right


def _verdict(called: set[Pair], pairs: dict[Pair, Kinship], paths: dict[str, str]) -> str:
    wrong = sorted(
        (paths[left], paths[right]) for left, right in called if not _is_right((left, right), paths)
    )
    shots = sum(kind is Kinship.SIMILAR for kind in pairs.values())
    listed = "".join(f"\n- {left} and {right}" for left, right in wrong)
    return (
        f"{len(called)} pairs are called altered, {len(called) - len(wrong)} of them of one photo "
        f"({1 - len(wrong) / max(len(called), 1):.3f}); {shots} similar. Of different photos:{listed}"
    )
