"""What is said of each file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from imagesearch.ranking.kinship import Kinship
from imagesearch.ranking.likeness import Likeness

Verdict = Literal["identical", "altered", "similar", "new", "refused"]
VERDICTS: tuple[Verdict, ...] = ("identical", "altered", "similar", "new", "refused")

IN_COLLECTION, NOT_ALL_IN, SOME_REFUSED = 0, 3, 4
"""Exit codes: every file is identical or altered; some are not; some could not be read."""


@dataclass(frozen=True, slots=True)
class Match:
    """An image of the collection that is akin to a file."""

    image_id: str
    path: str
    """Relative to the images folder."""
    distance: float
    likeness: Likeness
    kinship: Kinship


@dataclass(frozen=True, slots=True)
class FileVerdict:
    file: str
    """As it was given, or found in a folder that was."""
    verdict: Verdict
    matches: Sequence[Match] = ()
    """The closest kin first."""
    detail: str = field(default="", kw_only=True)
    """Why it was refused."""

    @classmethod
    def of(cls, file: str, matches: Iterable[Match]) -> FileVerdict:
        ordered = sorted(matches, key=lambda match: list(Kinship).index(match.kinship))
        return cls(file, ordered[0].kinship.value if ordered else "new", ordered)

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {"file": self.file, "verdict": self.verdict}
        value["matches"] = [asdict(match) for match in self.matches]
        return value | ({"detail": self.detail} if self.verdict == "refused" else {})


def exit_code(verdicts: Sequence[FileVerdict]) -> int:
    found = {each.verdict for each in verdicts}
    if "refused" in found:
        return SOME_REFUSED
    return NOT_ALL_IN if found & {"similar", "new"} else IN_COLLECTION


def as_text(verdicts: Sequence[FileVerdict]) -> str:
    lines = []
    for each in verdicts:
        closest = [match.path for match in each.matches if match.kinship == each.verdict]
        where = ", ".join(closest) or each.detail
        lines.append(f"{each.verdict:<9}  {each.file}{f'  {where}' if where else ''}")
    counts = Counter(each.verdict for each in verdicts)
    total = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])
    return "\n".join([*lines, f"{len(verdicts)} files: {total}."])


def as_csv(verdicts: Sequence[FileVerdict]) -> str:
    """A line for each match, and one for a file without."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "verdict", "image_id", "path", "distance", "likeness"))
    for each in verdicts:
        for match in each.matches:
            distance = f"{match.distance:.4f}"
            writer.writerow((each.file, match.kinship, match.image_id, match.path, distance, match.likeness))
        if not each.matches:
            writer.writerow((each.file, each.verdict, "", "", "", ""))
    return text.getvalue().rstrip("\n")
