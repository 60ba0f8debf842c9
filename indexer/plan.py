"""What there is to do: a folder as it lies there against what the ledger knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imagesearch.store.ledger import FileState, KnownFile
from indexer.walk import Listing, Refusal


@dataclass(frozen=True, slots=True)
class Plan:
    """What tells the ledger from the folder."""

    changed: list[FileState]
    """New photos and those whose size or modification time is another, in order of path."""
    refusals: list[Refusal]
    """That the ledger does not hold yet."""
    vanished: list[str]
    """Paths that the ledger holds and the folder no more, in order."""
    dropped: int
    """How many of them held an image."""
    kept: int
    """Indexed files that are as they were."""


def make_plan(listing: Listing, known: Mapping[str, KnownFile]) -> Plan:
    """What lies below a folder that cannot be read just now is neither changed nor vanished."""
    changed = [
        photo for photo in listing.photos if photo.path not in known or known[photo.path].state != photo
    ]
    refusals = [refusal for refusal in listing.refusals if not _is_refused(refusal, known)]
    present = {photo.path for photo in listing.photos} | {refusal.file.path for refusal in listing.refusals}
    hidden = tuple(f"{folder}/" for folder in listing.unreadable_folders)
    vanished = sorted(path for path in known if path not in present and not path.startswith(hidden))
    touched = {photo.path for photo in changed} | {refusal.file.path for refusal in refusals} | set(vanished)
    kept = sum(file.image_id is not None and path not in touched for path, file in known.items())
    dropped = sum(known[path].image_id is not None for path in vanished)
    return Plan(changed, refusals, vanished, dropped, kept)


def _is_refused(refusal: Refusal, known: Mapping[str, KnownFile]) -> bool:
    file = known.get(refusal.file.path)
    return file is not None and file.image_id is None and file.state == refusal.file
