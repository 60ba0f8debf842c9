"""A snapshot's manifest: what it holds, what it was computed with, and how each file must hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from imagesearch.backbones.base import Int8Quality, ModelIdentity, Precision
from imagesearch.descriptors.choices import DescriptorSettings
from imagesearch.errors import SnapshotDamaged, SnapshotOutdated
from imagesearch.index.files import IndexReport
from imagesearch.store.recipe import Recipe

MANIFEST_NAME = "manifest.json"
CHECKSUM_NAME = "manifest.sha256"
"""As sha256sum writes and checks it. Older snapshots have none."""
MAX_HASHED_AT_OPENING_BYTES = 256 << 20
"""Hashing so much takes some 0.15 s."""
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """The snapshot that answered."""

    version: str
    count: int
    descriptor: str
    model: str
    model_title: str
    """The network's name for people; empty where the descriptor is of local features."""
    approximate: bool


class FileEntry(BaseModel):
    """One file of a snapshot, as it was published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int = Field(ge=0)
    sha256: Sha256

    @classmethod
    def of(cls, path: Path) -> FileEntry:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(bytes=path.stat().st_size, sha256=digest)


class Manifest(BaseModel):
    """The table of contents of one snapshot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[6] = 6
    """Grows when a reader of the older format would misread the snapshot."""
    version: str = Field(pattern=r"^[0-9]{6,}$")
    created: str
    """UTC, ISO 8601, such as "2026-01-31T12:00:00Z"."""
    count: int = Field(ge=0)
    """Images."""
    segment_rows: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    """Rows of each segment, those of deleted images included."""
    dim: int = Field(ge=1)
    """Values of a descriptor."""
    descriptor: str
    vector_dim: int = Field(ge=1)
    """Values of each of the vectors that a descriptor is made of."""
    settings: DescriptorSettings
    encoding_note: str = ""
    """What could not be learnt from these images as asked for; empty where all could."""
    model: ModelIdentity
    model_note: str
    """Why this network was taken, one sentence; empty where it was asked for by name."""
    precision: Precision
    """The arithmetic the descriptors were computed in."""
    int8_quality: Int8Quality | None = None
    """How near int8 came to f32 on photos of this collection; None at another precision."""
    local_features: bool = False
    """Whether the snapshot holds the local features of its images."""
    localization: bool = False
    """Whether the snapshot holds the convolutional maps of its images."""
    upright: bool = False
    """Whether they take up as up."""
    index: IndexReport
    """The kind of index over the descriptors, and what its build measured."""
    refused_count: int = Field(ge=0)
    files: dict[FileName, FileEntry]
    """Every file of the snapshot but the manifest itself."""

    @classmethod
    def read(cls, snapshot_dir: Path) -> Manifest:
        """Raises SnapshotDamaged where the manifest is missing, malformed, or of a later format,
        SnapshotOutdated where it is of an earlier one."""
        try:
            content = (snapshot_dir / MANIFEST_NAME).read_bytes()
            checksum = snapshot_dir / CHECKSUM_NAME
            if checksum.exists() and checksum.read_bytes() != checksum_of(content):
                raise ValueError
            if _is_outdated(content):
                raise SnapshotOutdated(
                    f"Snapshot {snapshot_dir.name} was written by an older version; index again to write it "
                    "again. The photos need not be described again."
                )
            return cls.model_validate_json(content)
        except (OSError, ValueError) as error:
            raise SnapshotDamaged(
                f"Snapshot {snapshot_dir.name} has no readable manifest; index again to publish a new one."
            ) from error

    def write(self, snapshot_dir: Path) -> None:
        content = self.model_dump_json(indent=2).encode() + b"\n"
        (snapshot_dir / MANIFEST_NAME).write_bytes(content)
        (snapshot_dir / CHECKSUM_NAME).write_bytes(checksum_of(content))

    def damage(self, snapshot_dir: Path, hashed: bool = True) -> list[str]:
        """What is wrong with the files, one sentence each; empty when all is well.

        hashed: whether to compare more than their sizes.
        """
        found = (
            _file_damage(snapshot_dir / name, entry, hashed) for name, entry in sorted(self.files.items())
        )
        return [sentence for sentence in found if sentence]

    @property
    def recipe(self) -> Recipe:
        return Recipe(
            self.descriptor,
            self.vector_dim,
            self.model,
            self.precision,
            self.local_features,
            self.localization,
            self.upright,
            self.settings,
        )

    @property
    def rows(self) -> int:
        """Of all segments."""
        return sum(self.segment_rows)

    @property
    def is_hashed_at_opening(self) -> bool:
        """False where that would take too long: who opens it hashes it later."""
        return sum(entry.bytes for entry in self.files.values()) <= MAX_HASHED_AT_OPENING_BYTES


def checksum_of(manifest: bytes) -> bytes:
    """The content of the file CHECKSUM_NAME."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST_NAME}\n".encode()


def _is_outdated(content: bytes) -> bool:
    """Raises ValueError for what is no JSON."""
    manifest = json.loads(content)
    return isinstance(manifest, dict) and manifest.get("format") in (1, 2, 3, 4, 5)


def _file_damage(path: Path, entry: FileEntry, hashed: bool) -> str | None:
    where = f"{path.parent.name}/{path.name}"
    try:
        if path.stat().st_size != entry.bytes:
            return f"{where} is not {entry.bytes} bytes long as its manifest says."
        if hashed and FileEntry.of(path) != entry:
            return f"{where} does not hash to what its manifest says."
    except OSError:
        return f"{where} cannot be read."
    return None
