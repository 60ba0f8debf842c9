"""The next snapshot: its images written, its distances calibrated, its index built, and made live."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from imagesearch.host.memory import available_bytes
from imagesearch.index.building.builder import build_index, extend_index, require_memory
from imagesearch.index.files import IndexReport
from imagesearch.index.kinds import MILVUS, IndexPlan
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.index.milvus.collection import Facts
from imagesearch.ranking.calibration import background_distances
from imagesearch.store.catalogue import CATALOGUE_NAME, Catalogue
from imagesearch.store.content import SnapshotContent
from imagesearch.store.layout import StoreLayout
from imagesearch.store.manifest import Manifest
from imagesearch.store.snapshot_writer import SnapshotWriter
from imagesearch.store.versions import next_snapshot
from indexer.collections import facts_of

# Any constant does: equal collections get equal scores.
_CALIBRATION_SEED = 20170101


def publish(layout: StoreLayout, content: SnapshotContent) -> Manifest:
    """Writes the next snapshot beside the others and makes it live; see `next_snapshot`.

    Raises NotEnoughMemory before it writes anything.
    """
    _require_memory(content)
    with next_snapshot(layout) as (version, directory):
        writer = SnapshotWriter(layout, content, version, directory)
        descriptors = writer.write_images()
        rng = np.random.default_rng(_CALIBRATION_SEED)
        writer.write_calibration(background_distances(descriptors, rng))
        index = _write_index(directory, layout, content, descriptors)
        return writer.write_manifest(index)


def _require_memory(content: SnapshotContent) -> None:
    if content.recipe.is_sparse:
        return
    kept = content.base.manifest.count - len(content.base.deleted) if content.base else 0
    dim = content.encodings.descriptor.dim
    require_memory(content.index, kept + content.count, dim, available_bytes())


def _write_index(
    directory: Path, layout: StoreLayout, content: SnapshotContent, descriptors: DescriptorMatrix
) -> IndexReport:
    """Sparse descriptors have their inverted file; other indexes go on from the base's where that will do."""
    plan = content.index
    requested = plan.kind
    if content.recipe.is_sparse and requested != "exact":
        note = "" if requested == "auto" else "Bags of features are searched by their inverted file, exactly."
        return IndexReport("inverted", requested, note=note)
    if requested == MILVUS:
        plan = _with_facts(plan, directory, content, descriptors)
    if content.base is not None:
        base = content.base.manifest
        extended = extend_index(
            plan, descriptors, base.index, base.rows, layout.snapshot_dir(base.version), directory
        )
        if extended is not None:
            return extended
    return build_index(plan, descriptors, directory)


def _with_facts(
    plan: IndexPlan, directory: Path, content: SnapshotContent, descriptors: DescriptorMatrix
) -> IndexPlan:
    """Of the images of the catalogue that is being published; nobody asks for those of deleted ones."""
    path = directory / CATALOGUE_NAME
    with closing(Catalogue(path)) as catalogue:
        changed = content.base.moved if content.base else ()
        moved = [catalogue.row_of(record.image_id) for record in changed]

    def facts(rows: Sequence[int]) -> Sequence[Facts]:
        live = descriptors.without_deleted(np.array(rows, np.int64)).tolist()
        with closing(Catalogue(path)) as catalogue:
            known = dict(zip(live, catalogue.records(live), strict=True))
        return [facts_of(known[row]) if row in known else Facts() for row in rows]

    return replace(plan, facts=facts, moved=[row for row in moved if row is not None])
