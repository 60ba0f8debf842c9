"""Writing segments: what a snapshot keeps for each row, in files that later snapshots share.

A segment is written once and never changes; its rows are in ascending order of image id. Each of its tables
is a file or several; another one is written in `write_segment` and opened in `snapshot`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagesearch.array_file import array_file
from imagesearch.store.catalogue import CatalogueWriter
from imagesearch.store.content import SnapshotContent
from imagesearch.store.layout import SegmentFiles
from imagesearch.store.manifest import FileEntry, Manifest
from imagesearch.store.records import ImageRecord
from imagesearch.store.table_files import (
    DESCRIPTOR_ENCODING_NAME,
    write_cell_lists,
    write_conv_maps,
    write_inverted_file,
    write_local_features,
)

DESCRIPTORS_NAME = "descriptors.npy"


def write_segment(files: SegmentFiles, content: SnapshotContent, catalogue: CatalogueWriter) -> None:
    """Raises ValueError where the content is not what it promises."""
    encodings = content.encodings
    rows = _catalogued(_in_order(content), catalogue)
    _write_matrix(files.path(DESCRIPTORS_NAME), rows, encodings.descriptor.dim)
    if content.recipe.is_sparse:
        write_inverted_file(files, DESCRIPTORS_NAME)
    if content.recipe.local_features:
        write_local_features(files, content.local_features, content.count)
        write_cell_lists(files)
    if content.recipe.localization:
        write_conv_maps(files, content.conv_maps, content.count)


def link_segments(base: Manifest, base_directory: Path, directory: Path) -> dict[str, FileEntry]:
    """Gives what all segments of a snapshot hold, and what was learnt for them, a second name in `directory`;
    returns the entries."""
    shared = {name: entry for name, entry in base.files.items() if _is_shared(name)}
    for name in shared:
        try:
            os.link(base_directory / name, directory / name)
        except OSError:  # a file system without hard links, or at its limit of them
            shutil.copyfile(base_directory / name, directory / name)
    return shared


def _is_shared(name: str) -> bool:
    return name.startswith("segment-") or name == DESCRIPTOR_ENCODING_NAME


def _write_matrix(path: Path, rows: Iterable[NDArray[np.floating]], dim: int) -> None:
    """rows: shape=(dim,) each."""
    with array_file(path, "<f2", (dim,)) as file:
        for row in rows:
            file.write(row.astype("<f2", copy=False).tobytes())


def _catalogued(
    images: Iterable[tuple[ImageRecord, NDArray[np.floating]]], catalogue: CatalogueWriter
) -> Iterator[NDArray[np.floating]]:
    for image, descriptor in images:
        catalogue.add(image)
        yield descriptor


def _in_order(content: SnapshotContent) -> Iterator[tuple[ImageRecord, NDArray[np.floating]]]:
    """The images as they come; raises ValueError where they are not what `content` promises."""
    previous, count = "", 0
    dim = content.encodings.descriptor.dim
    for image, descriptor in content.images:
        if image.image_id <= previous or descriptor.shape != (dim,):
            raise ValueError(f"image {image.image_id} is out of order or has a descriptor of another size")
        yield image, descriptor
        previous, count = image.image_id, count + 1
    if count != content.count:
        raise ValueError(f"{count} images where {content.count} were promised")
