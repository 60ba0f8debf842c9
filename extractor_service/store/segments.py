"""Writing segments: what a snapshot keeps for each row, in files that later snapshots share.

A segment is written once and never changes; its rows are in ascending order of image id. Each of its tables
is a file or several; another one is written in `write_segment` and opened in `snapshot`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extractor_service.store.catalogue import CatalogueWriter
from extractor_service.store.content import SnapshotContent
from extractor_service.store.conv_map_files import write_conv_maps
from extractor_service.store.layout import SegmentFiles
from extractor_service.store.local_features_files import write_local_features
from extractor_service.store.manifest import FileEntry, Manifest
from extractor_service.store.records import ImageRecord

DESCRIPTORS_NAME = "descriptors.npy"


def write_segment(files: SegmentFiles, content: SnapshotContent, catalogue: CatalogueWriter) -> None:
    """Raises ValueError where the content is not what it promises."""
    with files.path(DESCRIPTORS_NAME).open("wb") as file:
        # Plain writes: on a full disk they fail with an error, a memory map would end the process.
        shape = (content.count, content.recipe.dim)
        np.lib.format.write_array_header_1_0(file, {"descr": "<f2", "fortran_order": False, "shape": shape})
        for image, descriptor in _in_order(content):
            file.write(descriptor.astype("<f2", copy=False).tobytes())
            catalogue.add(image)
    if content.recipe.local_features:
        write_local_features(files, content.local_features, content.count)
    if content.recipe.localization:
        write_conv_maps(files, content.conv_maps, content.count)


def link_segments(base: Manifest, base_directory: Path, directory: Path) -> dict[str, FileEntry]:
    """Gives the files of all segments of a snapshot a second name in `directory`; returns their entries."""
    shared = {name: entry for name, entry in base.files.items() if name.startswith("segment-")}
    for name in shared:
        try:
            os.link(base_directory / name, directory / name)
        except OSError:  # a file system without hard links, or at its limit of them
            shutil.copyfile(base_directory / name, directory / name)
    return shared


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
