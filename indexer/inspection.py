"""What a store holds, and whether it is whole. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from imagesearch.backbones import compiled
from imagesearch.backbones.base import ModelIdentity
from imagesearch.backbones.converted import models_damage
from imagesearch.errors import ModelError, SnapshotOutdated, StoreError, StoreMissing
from imagesearch.store.duplicates import duplicates_damage
from imagesearch.store.indexing import Indexing, read_indexing
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import Ledger
from imagesearch.store.manifest import Manifest
from imagesearch.store.records import RefusedFile
from imagesearch.store.snapshot import Snapshot, current_version
from imagesearch.store.thumbnails import damaged_thumbnails
from imagesearch.store.versions import versions
from indexer.network_source import Networks
from indexer.summary import REFUSED_SHOWN

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Status:
    """What a store holds. Counts are of files, except where they say otherwise."""

    snapshot: str | None
    """The live snapshot's version; None where nothing has been published."""
    created: str | None
    """When it was published: UTC, ISO 8601."""
    snapshots: list[str]
    """Every version there is, oldest first."""
    unpublished: bool
    """Whether the ledger is ahead of the live snapshot: an indexer is at work, or was interrupted."""
    indexing: Indexing | None
    """How far the indexer at work is; None where none is."""
    images: int
    """Distinct images."""
    files: int
    refused: int
    refused_first: list[RefusedFile]
    """The first of them in order of path."""
    descriptor: str
    dim: int
    model: ModelIdentity
    model_note: str
    precision: str


def status(layout: StoreLayout) -> Status:
    """Of the ledger, which is the truth, and the live snapshot. Raises StoreError."""
    with _ledger(layout) as ledger:
        live = current_version(layout)
        return Status(
            snapshot=live,
            created=Manifest.read(layout.snapshot_dir(live)).created if live else None,
            snapshots=versions(layout),
            unpublished=ledger.unpublished,
            indexing=read_indexing(layout),
            images=ledger.image_count(),
            files=ledger.file_count(),
            refused=ledger.refused_count(),
            refused_first=list(islice(ledger.refused(), REFUSED_SHOWN)),
            descriptor=ledger.recipe.descriptor,
            dim=ledger.recipe.dim,
            model=ledger.recipe.model,
            model_note=ledger.model_note,
            precision=ledger.recipe.precision,
        )


def damage(layout: StoreLayout, networks: Networks) -> list[str]:
    """Everything that is wrong, one sentence each; empty when all is well. Reads every file of the store.

    Raises StoreMissing where there is none.
    """
    found = (
        *_ledger_damage(layout),
        *_live_damage(layout),
        *_snapshot_damage(layout),
        *_model_damage(layout, networks),
        *duplicates_damage(layout),
    )
    return list(dict.fromkeys(found))  # the live snapshot is looked at in two ways, its model too


def _ledger_damage(layout: StoreLayout) -> list[str]:
    try:
        with _ledger(layout) as ledger:
            return ledger.damage() or [*_row_damage(ledger), *_thumbnail_damage(layout, ledger)]
    except StoreMissing:
        raise
    except StoreError as error:
        return [str(error)]


def _row_damage(ledger: Ledger) -> list[str]:
    corrupt = ledger.corrupt_images()
    if not corrupt:
        return []
    return [
        f"The ledger no longer holds {len(corrupt)} images as they were written ({_named(corrupt)}); build "
        "describes them again."
    ]


def _thumbnail_damage(layout: StoreLayout, ledger: Ledger) -> list[str]:
    missing = list(damaged_thumbnails(layout, ledger.image_ids()))
    if not missing:
        return []
    return [
        f"{len(missing)} thumbnails are missing or damaged ({_named(missing)}); build --rebuild draws them "
        "again."
    ]


def _named(image_ids: Sequence[str]) -> str:
    return ", ".join(image_ids[:_NAMED]) + (", …" if len(image_ids) > _NAMED else "")


def _live_damage(layout: StoreLayout) -> list[str]:
    try:
        if current_version(layout) is not None:
            Snapshot.open(layout).close()
    except StoreError as error:
        return [str(error)]
    return []


def _snapshot_damage(layout: StoreLayout) -> list[str]:
    found = []
    for version in versions(layout):
        directory = layout.snapshot_dir(version)
        try:
            found += Manifest.read(directory).damage(directory)
        except SnapshotOutdated:
            continue  # whole perhaps, for the version that wrote it; the live one is opened elsewhere
        except StoreError as error:
            found.append(str(error))
    return found


def _model_damage(layout: StoreLayout, networks: Networks) -> list[str]:
    """Of every model in the store, and of the one that the ledger's descriptors came from, if it is lost."""
    found = models_damage(layout.models_dir) + compiled.damage(layout.models_dir)
    try:
        with _ledger(layout) as ledger:
            networks.check(ledger.recipe.model)
    except ModelError as error:
        found.append(str(error))
    except StoreError:
        pass  # told of elsewhere
    return found


def _ledger(layout: StoreLayout) -> Ledger:
    ledger = Ledger.open(layout.ledger_path, "ro")
    if ledger is None:
        raise StoreMissing(f"There is no store in {layout.root}; index a folder of photos first.")
    return ledger
