"""The place of everything in a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoreLayout:
    """The names inside one store folder. Touches no disk."""

    root: Path

    @property
    def ledger_path(self) -> Path:
        return self.root / "ledger.sqlite3"

    @property
    def rebuild_ledger_path(self) -> Path:
        """The ledger of a rebuild under way; it takes the ledger's place when everything is described."""
        return self.root / "ledger.rebuild.sqlite3"

    @property
    def lock_path(self) -> Path:
        return self.root / "indexer.lock"

    @property
    def indexing_path(self) -> Path:
        return self.root / "indexing.json"

    @property
    def left_out_path(self) -> Path:
        return self.root / "left-out.json"

    @property
    def current_path(self) -> Path:
        return self.root / "CURRENT"

    @property
    def duplicates_path(self) -> Path:
        return self.root / "duplicates.npz"

    @property
    def milvus_name_path(self) -> Path:
        """What the names of this store's collections in Milvus begin with."""
        return self.root / "milvus-name"

    @property
    def snapshots_dir(self) -> Path:
        return self.root / "snapshots"

    @property
    def models_dir(self) -> Path:
        return self.root / "models"

    @property
    def thumbnails_dir(self) -> Path:
        return self.root / "thumbnails"

    def snapshot_dir(self, version: str) -> Path:
        return self.snapshots_dir / version

    def thumbnail_path(self, image_id: str) -> Path:
        return self.thumbnails_dir / image_id[:2] / f"{image_id}.webp"

    def preview_path(self, image_id: str) -> Path:
        return self.thumbnail_path(image_id).with_suffix(".jpg")


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """The files of one segment of a snapshot: one for each table, or several. Touches no disk."""

    directory: Path
    number: int
    """Its place in the snapshot, from 0."""

    def path(self, name: str) -> Path:
        """name: of the table, such as "descriptors.npy"."""
        return self.directory / f"segment-{self.number}.{name}"


def image_id_of(sha256_hex: str) -> str:
    """The id of an image: the first 32 hexadecimal digits of the SHA-256 of its bytes."""
    return sha256_hex[:32]
