"""duplicates.npz: which images of the store are akin, and which have been compared with all others.

It lies beside the snapshots and holds ids, not rows, so that a later snapshot goes on from it: only what is
new is compared. Ids that a snapshot does not hold mean nothing to its reader.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass, field
from zipfile import BadZipFile

import numpy as np

from imagesearch.errors import StoreError
from imagesearch.ranking.kinship import Kinship
from imagesearch.store.durable import replace_file
from imagesearch.store.layout import StoreLayout

FORMAT = 1
_KINDS = tuple(Kinship)

# What zipfile, zlib and NumPy raise for a file of which bytes are wrong, each at another place in it.
_DAMAGE = (ValueError, KeyError, IndexError, EOFError, NotImplementedError, zlib.error, BadZipFile)

Pair = tuple[str, str]
"""Two image ids, the smaller first."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What is known so far."""

    made_by: str = ""
    """How images were compared; what was made otherwise is begun anew."""
    compared: set[str] = field(default_factory=set)
    """Ids of images that have been compared with all others that are in here."""
    pairs: dict[Pair, Kinship] = field(default_factory=dict)

    def among(self, image_ids: set[str]) -> Duplicates:
        """Without what is said of other images."""
        pairs = {pair: kind for pair, kind in self.pairs.items() if image_ids.issuperset(pair)}
        return Duplicates(self.made_by, self.compared & image_ids, pairs)


def write_duplicates(layout: StoreLayout, known: Duplicates) -> None:
    pairs = sorted(known.pairs)
    buffer = io.BytesIO()
    np.savez(
        buffer,
        format=np.int64(FORMAT),
        made_by=np.array(known.made_by),
        compared=np.array(sorted(known.compared), "S32"),
        pairs=np.array(pairs, "S32").reshape(-1, 2),
        kinds=np.array([_KINDS.index(known.pairs[pair]) for pair in pairs], np.uint8),
    )
    replace_file(layout.duplicates_path, buffer.getvalue())


def read_duplicates(layout: StoreLayout) -> Duplicates:
    """Nothing where there is none, or none that can be read: it is made again."""
    try:
        return _read(layout)
    except (OSError, StoreError):
        return Duplicates()


def duplicates_damage(layout: StoreLayout) -> list[str]:
    """What is wrong with the file, a sentence; empty where all is well or there is none."""
    try:
        _read(layout)
    except FileNotFoundError:
        return []
    except (OSError, StoreError):
        return ["duplicates.npz is damaged; build finds the duplicates again."]
    return []


def _read(layout: StoreLayout) -> Duplicates:
    """Raises OSError, or StoreError for a file that is not as it was written."""
    try:
        # Opened here: of a damaged file NumPy would leave its own handle open.
        with layout.duplicates_path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if int(file["format"]) != FORMAT:
                return Duplicates()
            pairs = [(left.decode(), right.decode()) for left, right in file["pairs"].tolist()]
            kinds = [_KINDS[kind] for kind in file["kinds"].tolist()]
            compared = {image_id.decode() for image_id in file["compared"].tolist()}
            return Duplicates(str(file["made_by"]), compared, dict(zip(pairs, kinds, strict=True)))
    except _DAMAGE as error:
        raise StoreError("duplicates.npz is damaged.") from error


def duplicates_state(layout: StoreLayout) -> tuple[int, int] | None:
    """Another one after each change; None where there is no file."""
    try:
        status = layout.duplicates_path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
