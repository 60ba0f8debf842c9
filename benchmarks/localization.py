"""Does `localize` find the object, and does it help? `python -m benchmarks.localization`.

Queries of which the answer is known, on the photos of Holidays:

- crop: a random part of a photo, 0.3 to 0.6 of its sides, scaled by 0.7 to 2 and saved as JPEG of quality 50
  to 90. It must find that photo, and its place in it.
- paste: a photo of Corel-1k, pasted into a photo of Holidays at 0.3 to 0.5 of its sides. The Corel photo,
  scaled and saved as above, must find the photo it was pasted into, and the place.
- whole: the set's own 300 queries.

The first hits by its embedding are ranked again by the cosine of their best part.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.photos import BATCH, LIMITS, MODELS_DIR
from benchmarks.report import Table
from benchmarks.retrieval import GroundTruth, evaluate, load_corel1k, load_holidays
from imagesearch.backbones import Backbone, Precision, load_backbone
from imagesearch.backbones.making import prepare_model
from imagesearch.conv_maps import MacDescriber
from imagesearch.conv_maps.describer import INDEXED_LONG_SIDE_PX, PART_LONG_SIDE_PX
from imagesearch.conv_maps.storage import from_bytes, to_bytes
from imagesearch.descriptors.embedding import Embedding
from imagesearch.descriptors.pooling import mac
from imagesearch.pictures.decode import decode
from imagesearch.pictures.plans import LongSideInput
from imagesearch.pictures.region import Region
from imagesearch.ranking.localization import Localization
from imagesearch.ranking.reranking import localize_candidates

CASES = 100
CANDIDATES = 100
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Case:
    """A query, the photo that answers it, and where."""

    row: int
    region: Region
    query: Picture


@dataclass
class Collection:
    """Photos as an index holds them."""

    descriptors: NDArray[np.float32]
    blobs: list[bytes]


class Describer:
    def __init__(self, backbone: Backbone, long_side_px: int) -> None:
        self._backbone = backbone
        self._embedding = Embedding(backbone)
        self._map_plan = LongSideInput(long_side_px)

    def collection(self, pictures: Sequence[Picture]) -> Collection:
        blobs = [to_bytes(self._map(picture, self._map_plan)) for picture in pictures]
        return Collection(self.descriptors(pictures), blobs)

    def replaced(self, collection: Collection, pictures: dict[int, Picture]) -> Collection:
        """With other pictures in some rows."""
        new = self.collection(list(pictures.values()))
        changed = Collection(collection.descriptors.copy(), list(collection.blobs))
        for place, row in enumerate(pictures):
            changed.descriptors[row], changed.blobs[row] = new.descriptors[place], new.blobs[place]
        return changed

    def descriptors(self, pictures: Sequence[Picture]) -> NDArray[np.float32]:
        inputs = [self._embedding.input_plan.prepare(picture) for picture in pictures]
        starts = range(0, len(inputs), BATCH)
        batches = [self._embedding.describe(inputs[start : start + BATCH]) for start in starts]
        return np.concatenate([row for batch in batches for row in batch])

    def mac_vectors(self, pictures: Sequence[Picture], part_side_px: int) -> list[NDArray[np.float32]]:
        """shape=(V, C) of each."""
        describer = MacDescriber(self._backbone, part_side_px)
        return describer.describe([describer.input_plan.prepare(picture) for picture in pictures])

    def _map(self, picture: Picture, plan: LongSideInput) -> NDArray[np.float32]:
        return np.asarray(self._backbone.conv_map(plan.prepare(picture)[np.newaxis])[0])


def crop_cases(photos: Sequence[Picture], rng: np.random.Generator) -> list[Case]:
    cases = []
    for row in rng.permutation(len(photos))[:CASES]:
        left, top, right, bottom = _box(photos[row], rng, 0.3, 0.6)
        part = photos[row][top:bottom, left:right]
        cases.append(Case(int(row), _region(photos[row], (left, top, right, bottom)), _altered(part, rng)))
    return cases


def paste_cases(
    photos: Sequence[Picture], objects: Sequence[Picture], rng: np.random.Generator
) -> tuple[list[Case], dict[int, Picture]]:
    """Also the photos that something was pasted into, by row."""
    cases, pasted = [], {}
    for row, pick in zip(rng.permutation(len(photos))[:CASES], rng.permutation(len(objects)), strict=False):
        left, top, right, bottom = _box(photos[row], rng, 0.3, 0.5)
        shrunk = Image.fromarray(objects[pick]).resize((right - left, bottom - top), Image.Resampling.BICUBIC)
        changed = photos[row].copy()
        changed[top:bottom, left:right] = np.asarray(shrunk)
        pasted[int(row)] = changed
        region = _region(photos[row], (left, top, right, bottom))
        cases.append(Case(int(row), region, _altered(objects[pick], rng)))
    return cases, pasted


def measure(
    table: Table,
    name: str,
    collection: Collection,
    cases: Sequence[Case],
    describer: Describer,
    part_px: int,
) -> None:
    queries = [case.query for case in cases]
    macs = describer.mac_vectors(queries, part_px)
    cosines = describer.descriptors(queries) @ collection.descriptors.T
    overlaps = []
    for case, vectors in zip(cases, macs, strict=True):
        found = localized(vectors, collection.blobs[case.row])
        overlaps.append(overlap(found.region, case.region) if found else 0.0)
    orders = np.argsort(-cosines, axis=1, kind="stable")
    start = time.perf_counter()
    located = located_cosines(collection, macs, orders)
    spent_ms = (time.perf_counter() - start) * 1e3 / located.size
    firsts = [_share_first(cases, orders, located, count) for count in (0, 40, CANDIDATES)]
    both = located + np.take_along_axis(cosines, orders[:, :CANDIDATES], axis=1)
    mixed = _share_first(cases, orders, both, CANDIDATES)
    half = float(np.mean(np.array(overlaps) > 0.5))
    table.add(name, part_px, float(np.mean(overlaps)), half, *firsts, mixed, spent_ms)


def measure_whole(
    table: Table, collection: Collection, truth: GroundTruth, describer: Describer, photos: Sequence[Picture],
    part_px: int | None,
) -> None:  # fmt: skip
    """part_px: None takes the stored map's maxima, as a search with an indexed photo does; else as one with
    a file does."""
    row = {name: place for place, name in enumerate(truth.photos)}
    queries = [row[query] for query in truth.relevant]
    if part_px is None:
        macs = [mac(from_bytes(collection.blobs[query]).astype(np.float32)) for query in queries]
    else:
        macs = describer.mac_vectors([photos[query] for query in queries], part_px)
    cosines = collection.descriptors[queries] @ collection.descriptors.T
    cosines[np.arange(len(queries)), queries] = -np.inf
    orders = np.argsort(-cosines, axis=1, kind="stable")
    located = located_cosines(collection, macs, orders)
    both = located + np.take_along_axis(cosines, orders[:, :CANDIDATES], axis=1)

    def mean_average_precision(scores: NDArray[np.float32], count: int) -> float:
        names = np.array(truth.photos)
        rankings = {
            query: names[reordered(order, scores[place], count)].tolist()
            for place, (query, order) in enumerate(zip(truth.relevant, orders, strict=True))
        }
        return evaluate(truth, rankings).mean_average_precision

    by_part = [mean_average_precision(located, count) for count in (0, 40, CANDIDATES)]
    table.add(part_px or "stored", *by_part, mean_average_precision(both, CANDIDATES))


def located_cosines(
    collection: Collection, macs: Sequence[NDArray[np.float32]], orders: NDArray[np.intp]
) -> NDArray[np.float32]:
    """shape=(Q, CANDIDATES): of the best part of each query's first hits, 0 where nothing answers."""
    cosines = np.zeros((len(macs), CANDIDATES), np.float32)
    for place, (vectors, order) in enumerate(zip(macs, orders, strict=True)):
        for rank, row in enumerate(order[:CANDIDATES]):
            found = localized(vectors, collection.blobs[row])
            cosines[place, rank] = found.cosine if found else 0
    return cosines


def localized(vectors: NDArray[np.float32], blob: bytes) -> Localization | None:
    """As a search does: the best of the query's vectors counts."""
    [found] = localize_candidates(list(vectors), [lambda: from_bytes(blob)], budget_s=math.inf)
    return found


def reordered(order: NDArray[np.intp], scores: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """The first `count` by descending score, then the others as they were."""
    first = np.argsort(-scores[:count], kind="stable")
    return np.concatenate((order[:count][first], order[count:]))


def overlap(one: Region, other: Region) -> float:
    """Intersection over union."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    common = max(width, 0) * max(height, 0)
    return common / (one.width * one.height + other.width * other.height - common)


def _share_first(
    cases: Sequence[Case], orders: NDArray[np.intp], scores: NDArray[np.float32], count: int
) -> float:
    firsts = [reordered(order, row, count)[0] for order, row in zip(orders, scores, strict=True)]
    return float(np.mean([first == case.row for first, case in zip(firsts, cases, strict=True)]))


def _box(photo: Picture, rng: np.random.Generator, least: float, most: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels."""
    height, width, _ = photo.shape
    across, down = (rng.uniform(least, most, 2) * (width, height)).astype(int)
    left, top = rng.integers(0, width - across + 1), rng.integers(0, height - down + 1)
    return int(left), int(top), int(left + across), int(top + down)


def _region(photo: Picture, box: tuple[int, int, int, int]) -> Region:
    height, width, _ = photo.shape
    left, top, right, bottom = box
    return Region(left / width, top / height, (right - left) / width, (bottom - top) / height)


def _altered(picture: Picture, rng: np.random.Generator) -> Picture:
    factor = rng.uniform(0.7, 2)
    height, width, _ = picture.shape
    image = Image.fromarray(picture).resize((round(width * factor), round(height * factor)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=int(rng.integers(50, 91)))
    return decode(buffer.getvalue(), LIMITS).rgb


def _load(folder: Path, names: Sequence[str]) -> list[Picture]:
    return [decode((folder / name).read_bytes(), LIMITS).rgb for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.localization",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--photos", type=Path, default=Path(os.environ.get("EVAL_PHOTOS", "../shared/data/eval"))
    )
    parser.add_argument("--model", default="efficientnet-lite0")
    parser.add_argument("--long-side", type=int, nargs="+", default=[INDEXED_LONG_SIDE_PX])
    parser.add_argument("--part-side", type=int, nargs="+", default=[PART_LONG_SIDE_PX])
    options = parser.parse_args()
    identity = prepare_model(options.model, MODELS_DIR).identity
    backbone = load_backbone(MODELS_DIR, identity, Precision.AUTO, threads=0)
    truth = load_holidays(options.photos / "holidays")
    photos = _load(options.photos / "holidays", truth.photos)
    objects = _load(options.photos / "corel1k", load_corel1k(options.photos / "corel1k").photos)
    for long_side_px in options.long_side:
        describer = Describer(backbone, long_side_px)
        whole = describer.collection(photos)
        crops = crop_cases(photos, np.random.default_rng(0))
        pastes, pasted = paste_cases(photos, objects, np.random.default_rng(1))
        changed = describer.replaced(whole, pasted)
        kept_bytes = sum(map(len, whole.blobs)) // len(photos)
        name = f"localization-{identity.name}-{long_side_px}"
        table = Table(name, (
            f"query ({kept_bytes:,} bytes a photo)", "part px", "mean overlap", "overlap > 0.5",
            "first by embedding", "by part, 40", f"by part, {CANDIDATES}", "by both", "ms a candidate",
        )).start()  # fmt: skip
        for part_px in options.part_side:
            measure(table, "crop", whole, crops, describer, part_px)
            measure(table, "paste", changed, pastes, describer, part_px)
        table.save()
        columns = ("part px", "mAP by embedding", "by part, 40", f"by part, {CANDIDATES}", "by both")
        table = Table(f"{name}-holidays", columns).start()
        for part_px in (None, *options.part_side):
            measure_whole(table, whole, truth, describer, photos, part_px)
        table.save()


if __name__ == "__main__":
    main()
