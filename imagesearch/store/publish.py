"""Writing a snapshot and making it the live one."""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from imagesearch.errors import SnapshotDamaged
from imagesearch.host.memory import available_bytes
from imagesearch.index.building.builder import build_index, extend_index
from imagesearch.index.building.memory import require_memory
from imagesearch.index.files import IndexReport
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.ranking.calibration import background_distances
from imagesearch.store.catalogue import CATALOGUE_NAME, CatalogueWriter
from imagesearch.store.content import Base, SnapshotContent
from imagesearch.store.durable import replace_file, sync_directory, sync_file
from imagesearch.store.encoding_files import write_encodings
from imagesearch.store.layout import SegmentFiles, StoreLayout
from imagesearch.store.manifest import MANIFEST_NAME, FileEntry, Manifest
from imagesearch.store.segments import DESCRIPTORS_NAME, link_segments, write_segment
from imagesearch.store.snapshot import CALIBRATION_NAME, ORDER_NAME, current_version, open_matrix

# Any constant does: equal collections get equal scores.
_CALIBRATION_SEED = 20170101


def publish(layout: StoreLayout, content: SnapshotContent) -> Manifest:
    """Writes the next snapshot beside the others and makes it live by renames.

    Whatever interrupts it, the live snapshot is the old one or the new one, whole. Only one publisher at a
    time: see `lock.exclusive`. Raises NotEnoughMemory before it writes anything.
    """
    _require_memory(content)
    layout.snapshots_dir.mkdir(parents=True, exist_ok=True)
    remove_leftovers(layout)
    version = next_version(layout)
    temporary = layout.snapshots_dir / f".{version}.new"
    temporary.mkdir()
    try:
        manifest = _write(temporary, version, layout, content)
        temporary.rename(layout.snapshot_dir(version))
    finally:
        remove_leftovers(layout)
    sync_directory(layout.snapshots_dir)
    replace_file(layout.current_path, f"{version}\n".encode("ascii"))
    return manifest


def versions(layout: StoreLayout) -> list[str]:
    """Every snapshot of the store, oldest first, live or not."""
    if not layout.snapshots_dir.is_dir():
        return []
    names = [path.name for path in layout.snapshots_dir.iterdir() if path.name.isdecimal()]
    return sorted(names, key=int)


def next_version(layout: StoreLayout) -> str:
    """Six digits or more, above every snapshot there is and the live one."""
    taken = versions(layout)
    with suppress(SnapshotDamaged):  # a CURRENT that names nothing is about to be replaced
        taken.append(current_version(layout) or "0")
    return f"{max(map(int, taken), default=0) + 1:06d}"


def remove_leftovers(layout: StoreLayout) -> None:
    """Removes what a killed publisher or a killed prune left behind."""
    for path in layout.snapshots_dir.glob(".*"):
        shutil.rmtree(path)


def _require_memory(content: SnapshotContent) -> None:
    if content.recipe.descriptor != "bof":
        kept = content.base.manifest.count - len(content.base.deleted) if content.base else 0
        dim = content.encodings.descriptor.dim
        require_memory(content.index, kept + content.count, dim, available_bytes())


def _write(directory: Path, version: str, layout: StoreLayout, content: SnapshotContent) -> Manifest:
    shared = _share_segments(directory, layout, content.base) if content.base else {}
    refused_count = _write_images(directory, content)
    dim = content.encodings.descriptor.dim
    descriptors = open_matrix(directory, content.segment_rows, DESCRIPTORS_NAME, dim)
    _write_calibration(directory, descriptors)
    index = _write_index(directory, layout, content, descriptors)
    names = sorted(path.name for path in directory.iterdir())
    manifest = Manifest(
        version=version,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        count=descriptors.count,
        segment_rows=content.segment_rows,
        dim=dim,
        descriptor=content.recipe.descriptor,
        vector_dim=content.recipe.dim,
        settings=content.recipe.settings,
        encoding_note=content.encodings.note,
        model=content.recipe.model,
        model_note=content.model_note,
        precision=content.recipe.precision,
        int8_quality=content.int8_quality,
        local_features=content.recipe.local_features,
        localization=content.recipe.localization,
        upright=content.recipe.upright,
        index=index,
        refused_count=refused_count,
        files={name: shared.get(name) or FileEntry.of(directory / name) for name in names},
    )
    (directory / MANIFEST_NAME).write_bytes(manifest.to_bytes())
    for name in [*names, MANIFEST_NAME]:
        sync_file(directory / name)
    sync_directory(directory)
    return manifest


def _share_segments(directory: Path, layout: StoreLayout, base: Base) -> dict[str, FileEntry]:
    """Links the segments and what was learnt, copies the catalogue of the base. Returns the entries of the
    links."""
    base_directory = layout.snapshot_dir(base.manifest.version)
    shutil.copyfile(base_directory / CATALOGUE_NAME, directory / CATALOGUE_NAME)
    return link_segments(base.manifest, base_directory, directory)


def _write_images(directory: Path, content: SnapshotContent) -> int:
    """The new segment, the catalogue and the order of ids. Returns how many files were refused."""
    if content.base is None:
        write_encodings(directory, content.encodings)
    shared_rows = content.shared_rows
    with closing(CatalogueWriter(directory / CATALOGUE_NAME, first_row=sum(shared_rows))) as catalogue:
        if content.base is not None:
            catalogue.delete(content.base.deleted)
            catalogue.move(content.base.moved)
        if len(content.segment_rows) > len(shared_rows):
            write_segment(SegmentFiles(directory, len(shared_rows)), content, catalogue)
        refused_count = catalogue.refuse(content.refused)
        np.save(directory / ORDER_NAME, catalogue.order(), allow_pickle=False)
        catalogue.finish()
    return refused_count


def _write_calibration(directory: Path, descriptors: DescriptorMatrix) -> None:
    background = background_distances(descriptors, np.random.default_rng(_CALIBRATION_SEED))
    np.save(directory / CALIBRATION_NAME, background, allow_pickle=False)


def _write_index(
    directory: Path, layout: StoreLayout, content: SnapshotContent, descriptors: DescriptorMatrix
) -> IndexReport:
    """Bags of features have their inverted file; other indexes go on from the base's where that will do."""
    requested = content.index.kind
    if content.recipe.descriptor == "bof" and requested != "exact":
        note = "" if requested == "auto" else "Bags of features are searched by their inverted file, exactly."
        return IndexReport("inverted", requested, note=note)
    if content.base is not None:
        base = content.base.manifest
        extended = extend_index(
            content.index, descriptors, base.index, base.rows, layout.snapshot_dir(base.version), directory
        )
        if extended is not None:
            return extended
    return build_index(content.index, descriptors, directory)
