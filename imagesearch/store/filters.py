"""Which images a search may find: those under a folder, those taken within some days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from imagesearch.errors import InvalidOption

_AFTER_THE_DAY = "T24"
"""Comes after every time of a day, in the order of texts."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Raises InvalidOption for a folder outside the indexed one, and for days in the wrong order."""

    folder: str = ""
    """Relative to the images folder, forward slashes; empty for all. Folders below it count."""
    taken_from: date | None = None
    taken_to: date | None = None
    """Both included, by the camera's clock. With either, images without a date are left out."""

    def __post_init__(self) -> None:
        if self.folder and not {"", ".", ".."}.isdisjoint(self.folder.split("/")):
            raise InvalidOption(
                "A folder is given relative to the indexed one, by the names of folders alone, as in the "
                "paths of results."
            )
        if self.taken_from and self.taken_to and self.taken_from > self.taken_to:
            raise InvalidOption("The first day comes after the last one; exchange them.")

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return self != Filter()

    def conditions(self) -> dict[str, list[str]]:
        """SQL over a catalogue's `images`, all of which must hold, each with its parameters."""
        found: dict[str, list[str]] = {}
        if self.folder:
            # Paths under it come between "folder/" and "folder0", for "0" is the character after "/".
            below = "row IN (SELECT row FROM paths WHERE path > ? AND path < ?)"
            found[below] = [f"{self.folder}/", f"{self.folder}0"]
        if self.taken_from or self.taken_to:
            found["taken_at > ?"] = [self.taken_from.isoformat() if self.taken_from else ""]
        if self.taken_to:
            found["taken_at < ?"] = [self.taken_to.isoformat() + _AFTER_THE_DAY]
        return found
