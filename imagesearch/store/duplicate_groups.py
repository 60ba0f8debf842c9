"""From pairs of images that are akin to groups of files, and which of each to keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imagesearch.ranking.kinship import Kinship
from imagesearch.store.duplicates import Pair
from imagesearch.store.records import ImageRecord


@dataclass(frozen=True, slots=True)
class GroupedFile:
    record: ImageRecord
    path: str
    """One of the record's."""
    keep: bool
    """Whether it is the one of its group that should stay, if only one should."""


Group = Sequence[GroupedFile]
"""At least two, the one to keep first."""


def groups(pairs: Mapping[Pair, Kinship], records: Mapping[str, ImageRecord], kind: Kinship) -> list[Group]:
    """Of files joined by this kind or a closer one, and by this kind at least once; the largest first.

    records: by id, of every image that is in a pair or has several paths.
    """
    closer = tuple(Kinship)[: tuple(Kinship).index(kind)]
    parts_of = joined(pair for pair, found in pairs.items() if found in closer)
    whole_of = joined(pair for pair, found in pairs.items() if found in (*closer, kind))
    members: defaultdict[str, list[ImageRecord]] = defaultdict(list)
    for image_id, record in records.items():
        members[whole_of.get(image_id, image_id)].append(record)
    found = []
    for images in members.values():
        parts = {parts_of.get(image.image_id, image.image_id) for image in images}
        of_copies = kind is Kinship.IDENTICAL and sum(len(image.paths) for image in images) > 1
        if len(parts) > 1 or of_copies:
            found.append(_group(images))
    return sorted(found, key=lambda group: (-len(group), group[0].path))


def joined(pairs: Iterable[Pair]) -> dict[str, str]:
    """For each id of a pair the one that stands for all it is joined with."""
    stands: dict[str, str] = {}

    def root(image_id: str) -> str:
        while (above := stands.setdefault(image_id, image_id)) != image_id:
            stands[image_id] = stands[above]
            image_id = above
        return image_id

    for left, right in pairs:
        stands[root(right)] = root(left)
    return {image_id: root(image_id) for image_id in list(stands)}


def _group(images: Iterable[ImageRecord]) -> Group:
    files = [(record, path) for record in images for path in record.paths]
    ordered = sorted(files, key=lambda file: _worth(*file))
    return [GroupedFile(record, path, place == 0) for place, (record, path) in enumerate(ordered)]


def _worth(record: ImageRecord, path: str) -> tuple[object, ...]:
    """The best first: whole, most pixels, with its date, most bytes; among equals the shortest path."""
    pixels = record.width * record.height
    return (record.damaged, -pixels, not record.taken_at, -record.size_bytes, len(path), path)
