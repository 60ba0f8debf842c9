"""Writing a snapshot and making it the live one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extractor_service.errors import SnapshotDamaged
from extractor_service.index.builder import IndexPlan, build_index
from extractor_service.ranking.calibration import background_distances
from extractor_service.store.catalogue import CATALOGUE_NAME, CatalogueWriter
from extractor_service.store.durable import replace_file, sync_directory, sync_file
from extractor_service.store.layout import StoreLayout
from extractor_service.store.local_features_files import write_local_features
from extractor_service.store.manifest import MANIFEST_NAME, FileEntry, Manifest
from extractor_service.store.recipe import Recipe
from extractor_service.store.records import ImageRecord, RefusedFile
from extractor_service.store.snapshot import CALIBRATION_NAME, DESCRIPTORS_NAME, current_version

# Any constant does: equal collections get equal scores.
_CALIBRATION_SEED = 20170101


@dataclass(frozen=True, slots=True)
class SnapshotContent:
    """What to publish. Both streams are read once, so that no collection has to fit in memory."""

    recipe: Recipe
    model_note: str
    count: int
    images: Iterable[tuple[ImageRecord, NDArray[np.float16]]]
    """`count` of them in ascending order of image_id, with their descriptors, shape=(D,)."""
    refused: Iterable[RefusedFile]
    index: IndexPlan = IndexPlan()
    local_features: Iterable[bytes] = ()
    """One blob an image, in the order of `images`; read only where the recipe asks for them."""


def publish(layout: StoreLayout, content: SnapshotContent) -> Manifest:
    """Writes the next snapshot beside the others and makes it live by renames.

    Whatever interrupts it, the live snapshot is the old one or the new one, whole. Only one publisher at a
    time: see `lock.exclusive`.
    """
    layout.snapshots_dir.mkdir(parents=True, exist_ok=True)
    remove_leftovers(layout)
    version = next_version(layout)
    temporary = layout.snapshots_dir / f".{version}.new"
    temporary.mkdir()
    try:
        manifest = _write(temporary, version, content)
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


def _write(directory: Path, version: str, content: SnapshotContent) -> Manifest:
    refused_count = _write_images(directory, content)
    if content.recipe.local_features:
        write_local_features(directory, content.local_features, content.count)
    descriptors = np.load(directory / DESCRIPTORS_NAME, mmap_mode="r", allow_pickle=False)
    _write_calibration(directory, descriptors)
    index = build_index(content.index, descriptors, directory)
    names = sorted(path.name for path in directory.iterdir())
    manifest = Manifest(
        version=version,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        count=content.count,
        dim=content.recipe.dim,
        descriptor=content.recipe.descriptor,
        model=content.recipe.model,
        model_note=content.model_note,
        precision=content.recipe.precision,
        local_features=content.recipe.local_features,
        index=index,
        refused_count=refused_count,
        files={name: FileEntry.of(directory / name) for name in names},
    )
    (directory / MANIFEST_NAME).write_bytes(manifest.to_bytes())
    for name in [*names, MANIFEST_NAME]:
        sync_file(directory / name)
    sync_directory(directory)
    return manifest


def _write_images(directory: Path, content: SnapshotContent) -> int:
    """Returns how many files were refused."""
    with (
        (directory / DESCRIPTORS_NAME).open("wb") as file,
        closing(CatalogueWriter(directory / CATALOGUE_NAME)) as catalogue,
    ):
        # Plain writes: on a full disk they fail with an error, a memory map would end the process.
        shape = (content.count, content.recipe.dim)
        np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for image, descriptor in _in_order(content):
            file.write(descriptor.astype("<f2", copy=False).tobytes())
            catalogue.add(image)
        refused_count = catalogue.refuse(content.refused)
        catalogue.finish()
    return refused_count


def _in_order(content: SnapshotContent) -> Iterator[tuple[ImageRecord, NDArray[np.float16]]]:
    """The images as they come; raises ValueError where they are not what `content` promises."""
    previous, count = "", 0
    for image, descriptor in content.images:
        if image.image_id <= previous or descriptor.shape != (content.recipe.dim,):
            raise ValueError(f"image {image.image_id} is out of order or has a descriptor of another size")
        yield image, descriptor
        previous, count = image.image_id, count + 1
    if count != content.count:
        raise ValueError(f"{count} images where {content.count} were promised")


def _write_calibration(directory: Path, descriptors: NDArray[np.float16]) -> None:
    background = background_distances(descriptors, np.random.default_rng(_CALIBRATION_SEED))
    np.save(directory / CALIBRATION_NAME, background, allow_pickle=False)
