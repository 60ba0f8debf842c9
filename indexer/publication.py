"""From the ledger to the live snapshot: what has changed is added to it, or all of it is written again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from imagesearch.backbones import Int8Quality, Precision
from imagesearch.backbones.converted import open_converted
from imagesearch.descriptors.base import Encodings
from imagesearch.errors import StoreError, VectorsGone
from imagesearch.host.cpus import available_cpus
from imagesearch.index import IndexPlan
from imagesearch.index.files import open_collection
from imagesearch.index.kinds import MILVUS
from imagesearch.store.content import Base, SnapshotContent
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import Ledger
from imagesearch.store.manifest import Manifest
from imagesearch.store.recipe import Recipe
from imagesearch.store.snapshot import Snapshot
from imagesearch.store.thumbnails import remove_thumbnails, sweep_thumbnails
from imagesearch.store.versions import remove_version
from indexer.collections import name_of, point_alias
from indexer.learning import encoded, learn, taken_from
from indexer.new_snapshot import publish
from indexer.settings import IndexerSettings

logger = logging.getLogger(__name__)

MAX_SEGMENTS = 8
"""Every search visits each."""
MAX_SHARE = 0.1
"""Of the rows may have been added, or be deleted, since the last full snapshot."""
EARLY_BYTES = 2 << 30
"""Of descriptors can be searched exactly until there is an index: in some 100 ms, on 2 cores."""


@dataclass(frozen=True, slots=True)
class _Changes:
    """What tells the ledger from the live snapshot. Ids, ascending."""

    base: Manifest
    added: Sequence[str]
    moved: Sequence[str]
    """In both; their paths may be others."""
    deleted: Sequence[str]
    gone: Sequence[str]
    """No more in the ledger: those deleted, and what came and went unpublished."""

    @property
    def are_few(self) -> bool:
        """Whether adding them leaves a snapshot that is about as good as a full one."""
        rows = self.base.rows + len(self.added)
        added = rows - self.base.segment_rows[0]
        deleted = self.base.rows - self.base.count + len(self.deleted)
        most = max(added, deleted, len(self.moved))
        return len(self.base.segment_rows) < MAX_SEGMENTS and most <= MAX_SHARE * rows


def publish_if_behind(layout: StoreLayout, ledger: Ledger, settings: IndexerSettings) -> bool:
    """Whether it had to. What was published before is in question, too: it may be damaged or removed."""
    changes = _changes_since_live(layout, ledger, settings)
    if changes is not None and not ledger.unpublished:
        return False
    plan = _plan(layout, settings)
    quality = _int8_quality(layout, ledger.recipe)
    if changes is not None and changes.are_few:
        content = _addition(layout, ledger, plan, changes)
        manifest = publish(layout, replace(content, int8_quality=quality))
        remove_thumbnails(layout, set(changes.gone) - ledger.departed_ids())
    else:
        learnt = _learnt(ledger, settings)
        if learnt.note and settings.learnt_from is None:
            logger.warning("%s", learnt.note)
        content = _everything(ledger, plan, learnt)
        manifest = publish(layout, replace(content, int8_quality=quality))
        sweep_thumbnails(layout, ledger.departed_ids().union(ledger.image_ids()))
    point_alias(layout, settings.milvus, manifest)
    # Thumbnails went only now: the snapshot that was live until here showed them.
    superseded = ledger.early_version
    ledger.mark_published(manifest.version)
    remove_version(layout, superseded)
    return True


def publish_so_far(layout: StoreLayout, ledger: Ledger, settings: IndexerSettings) -> None:
    """While more is described: adds what is new where that will do, else publishes all, searched exactly.

    The ledger does not count the latter as published, so that the end of the run publishes as if it had never
    been. Publishes nothing where there is nothing, or so much that it could not be searched exactly.
    """
    changes = _changes_since_live(layout, ledger, settings)
    if changes is not None and changes.are_few:
        publish_if_behind(layout, ledger, settings)
        return
    content = _everything(ledger, IndexPlan("exact"), _learnt(ledger, settings))
    if not 0 < content.count * content.encodings.descriptor.dim * 2 <= EARLY_BYTES:
        return
    superseded = ledger.early_version
    quality = _int8_quality(layout, ledger.recipe)
    ledger.mark_early(publish(layout, replace(content, int8_quality=quality)).version)
    remove_version(layout, superseded)


def _plan(layout: StoreLayout, settings: IndexerSettings) -> IndexPlan:
    plan = IndexPlan(settings.index, settings.target_recall, settings.threads or available_cpus())
    if settings.index != MILVUS:
        return plan
    return replace(plan, milvus=settings.milvus, collection=name_of(layout))


def _int8_quality(layout: StoreLayout, recipe: Recipe) -> Int8Quality | None:
    if recipe.precision is not Precision.INT8:
        return None
    return open_converted(layout.models_dir, recipe.model).int8_quality


def _changes_since_live(layout: StoreLayout, ledger: Ledger, settings: IndexerSettings) -> _Changes | None:
    """None where the live snapshot is not what this ledger was published as, not what is asked for, or lacks
    local features of its images or its vectors in Milvus. Raises VectorsUnavailable."""
    try:
        with Snapshot.open(layout) as live:
            manifest = live.manifest
            wanted = (ledger.publishable_recipe, settings.index, ledger.published_version)
            if ledger.detailed or (manifest.recipe, manifest.index.requested, manifest.version) != wanted:
                return None
            if manifest.index.kind == MILVUS:
                open_collection(settings.milvus, manifest.index, live.descriptors)
            return _changes(live, ledger)
    except (StoreError, VectorsGone):
        return None


def _changes(live: Snapshot, ledger: Ledger) -> _Changes:
    changed = ledger.changes()
    published = {image_id for image_id in changed if live.row_of(image_id) is not None}
    there = {image_id for image_id in changed if ledger.has_image(image_id)}
    return _Changes(
        base=live.manifest,
        added=sorted(there - published),
        moved=sorted(there & published),
        deleted=sorted(published - there),
        gone=sorted(set(changed) - there),
    )


def _learnt(ledger: Ledger, settings: IndexerSettings) -> Encodings:
    if settings.learnt_from is None:
        return learn(ledger)
    return taken_from(StoreLayout(settings.learnt_from), ledger)


def _everything(ledger: Ledger, plan: IndexPlan, learnt: Encodings) -> SnapshotContent:
    return SnapshotContent(
        recipe=ledger.publishable_recipe,
        model_note=ledger.model_note,
        count=ledger.image_count(),
        images=encoded(ledger, learnt),
        refused=ledger.refused(),
        index=plan,
        local_features=ledger.local_features(),
        conv_maps=ledger.conv_maps(),
        known=ledger.known,
        learnt=learnt,
    )


def _addition(layout: StoreLayout, ledger: Ledger, plan: IndexPlan, changes: _Changes) -> SnapshotContent:
    learnt = taken_from(layout, ledger)
    moved = [record for record, _ in ledger.images(changes.moved)]
    return SnapshotContent(
        recipe=ledger.publishable_recipe,
        model_note=ledger.model_note,
        count=len(changes.added),
        images=encoded(ledger, learnt, changes.added),
        refused=ledger.refused(),
        index=plan,
        local_features=ledger.local_features(changes.added),
        conv_maps=ledger.conv_maps(changes.added),
        known=ledger.known,
        learnt=learnt,
        base=Base(changes.base, changes.deleted, moved),
    )
