"""How good a ranking is: ground truth of three kinds, average precision and precision at ten.

A ground-truth file for one's own photos is UTF-8 text, one query a line, fields separated by tabs:

    query.jpg <tab> relevant.jpg <tab> other/relevant.jpg

Paths are relative to the folder of the file, with forward slashes. Empty lines and lines that begin with
"#" are skipped. The query is never relevant to itself; photos named nowhere are distractors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".avif", ".heic"})


class GroundTruthError(Exception):
    """The evaluation folder or its ground-truth file cannot be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Which photos answer which. Names are paths relative to the folder."""

    photos: tuple[str, ...]
    """All photos to rank, queries included."""
    relevant: Mapping[str, frozenset[str]]
    """For each query, in order of evaluation, the photos that answer it: at least one, never the query."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over the queries, each in [0, 1]."""

    mean_average_precision: float
    precision_at_10: float
    queries: int


def average_precision(ranks: Iterable[int], relevant_count: int) -> float:
    """Area under the precision-recall curve by the trapezoidal rule, as in INRIA's own Holidays script.

    ranks: 0-based ranks of the relevant photos that were returned, ascending, the query itself not counted.
    relevant_count: how many there are at all; those not returned add nothing.
    """
    area = 0.0
    for hits_before, rank in enumerate(ranks):
        precision_before = 1.0 if rank == 0 else hits_before / rank
        precision_after = (hits_before + 1) / (rank + 1)
        area += (precision_before + precision_after) / 2
    return area / relevant_count


def precision_at(k: int, ranks: Iterable[int]) -> float:
    """Share of the first k places held by relevant photos. ranks as for `average_precision`."""
    return sum(rank < k for rank in ranks) / k


def relevant_ranks(ranking: Iterable[str], query: str, relevant: frozenset[str]) -> list[int]:
    """0-based ranks of the relevant photos, ascending; the query is left out before counting."""
    others = (name for name in ranking if name != query)
    return [rank for rank, name in enumerate(others) if name in relevant]


def evaluate(truth: GroundTruth, rankings: Mapping[str, Sequence[str]]) -> Quality:
    """rankings: for each query the photos, best first; complete or cut short."""
    precisions, firsts = [], []
    for query, relevant in truth.relevant.items():
        ranks = relevant_ranks(rankings[query], query, relevant)
        precisions.append(average_precision(ranks, len(relevant)))
        firsts.append(precision_at(10, ranks))
    return Quality(float(np.mean(precisions)), float(np.mean(firsts)), len(precisions))


def load_holidays(folder: Path) -> GroundTruth:
    """INRIA Holidays: photos numbered n show the scene n // 100; n % 100 == 0 is the scene's query."""
    names = _numbered_photos(folder)
    scenes = _grouped(names, 100)
    queries = [number for number in names if number % 100 == 0 and len(scenes[number // 100]) > 1]
    return GroundTruth(
        photos=tuple(names.values()),
        relevant={names[query]: scenes[query // 100] - {names[query]} for query in queries},
    )


def load_corel1k(folder: Path) -> GroundTruth:
    """Wang's Corel-1k: photos numbered n belong to the class n // 100; each is a query."""
    names = _numbered_photos(folder)
    classes = _grouped(names, 100)
    relevant = {name: classes[number // 100] - {name} for number, name in names.items()}
    return GroundTruth(
        photos=tuple(names.values()), relevant={q: found for q, found in relevant.items() if found}
    )


def load_ground_truth(path: Path) -> GroundTruth:
    """Reads the format described above. Raises GroundTruthError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GroundTruthError(f"{path.name} cannot be read as UTF-8 text.") from error
    photos = _photos_below(path.parent)
    known = frozenset(photos)
    relevant: dict[str, frozenset[str]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        query, answers = _parse_line(line, f"Line {number} of {path.name}", known)
        if query in relevant:
            raise GroundTruthError(f"Line {number} of {path.name} repeats the query {query}.")
        relevant[query] = answers
    if not relevant:
        raise GroundTruthError(f"{path.name} names no query.")
    return GroundTruth(photos, relevant)


def _parse_line(line: str, where: str, known: frozenset[str]) -> tuple[str, frozenset[str]]:
    query, *answers = (field.strip() for field in line.split("\t"))
    relevant = frozenset(answers) - {query, ""}
    if not relevant:
        raise GroundTruthError(f"{where} names no relevant photo; fields are separated by tabs.")
    for name in sorted({query} | relevant):
        if name not in known:
            raise GroundTruthError(f"{where} names {name or 'nothing'}, which is not a photo of the folder.")
    return query, relevant


def _photos_below(folder: Path) -> tuple[str, ...]:
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in PHOTO_ENDINGS)
    return tuple(sorted(path.relative_to(folder).as_posix() for path in paths))


def _numbered_photos(folder: Path) -> dict[int, str]:
    """Number → file name, ascending by number. Where a number exists as .jpg and as .png, the .jpg counts."""
    if not folder.is_dir():
        raise GroundTruthError(f"There is no folder {folder}.")
    found: dict[int, str] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.suffix.lower(), reverse=True):
        if path.suffix.lower() in PHOTO_ENDINGS and path.stem.isdecimal():
            found[int(path.stem)] = path.name
    if not found:
        raise GroundTruthError(f"There are no numbered photos in {folder}.")
    return dict(sorted(found.items()))


def _grouped(names: Mapping[int, str], size: int) -> dict[int, frozenset[str]]:
    groups: defaultdict[int, set[str]] = defaultdict(set)
    for number, name in names.items():
        groups[number // size].add(name)
    return {group: frozenset(members) for group, members in groups.items()}
