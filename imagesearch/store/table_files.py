"""The tables of a snapshot on disk: what it has learnt, and local features, maps and inverted files by row.

All are .npy and .npz files without pickles, memory-mapped where only some rows are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from imagesearch.array_file import array_file, load_array, load_arrays
from imagesearch.conv_maps.storage import ConvMapTable
from imagesearch.descriptors.base import Encodings
from imagesearch.descriptors.bof import Bag
from imagesearch.descriptors.kinds import restore_encoding
from imagesearch.errors import SnapshotDamaged
from imagesearch.index.inverted import InvertedFile, build_inverted_file
from imagesearch.local_features.cells import CELLS
from imagesearch.local_features.codes import CODE
from imagesearch.local_features.storage import LocalFeatureTable, codes_of
from imagesearch.local_features.votes import CellLists, SegmentedCellLists, cell_lists
from imagesearch.store.layout import SegmentFiles
from imagesearch.store.manifest import Manifest

DESCRIPTOR_ENCODING_NAME = "encoding.npz"


def write_encodings(directory: Path, encodings: Encodings) -> None:
    np.savez(directory / DESCRIPTOR_ENCODING_NAME, allow_pickle=False, **encodings.descriptor.to_arrays())


def open_encodings(directory: Path, manifest: Manifest) -> Encodings:
    """Raises SnapshotDamaged."""
    try:
        descriptor = restore_encoding(manifest.descriptor, load_arrays(directory / DESCRIPTOR_ENCODING_NAME))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise SnapshotDamaged(
            f"What snapshot {directory.name} has learnt cannot be read; index again."
        ) from error
    return Encodings(descriptor, manifest.encoding_note)


CODES_NAME = "local_features.npy"
STARTS_NAME = "local_starts.npy"
SIZES_NAME = "local_sizes.npy"


def write_local_features(files: SegmentFiles, blobs: Iterable[bytes], count: int) -> None:
    """blobs: of `storage.to_blob`, one a row, read once. Raises ValueError for more or less than `count`."""
    starts = np.zeros(count + 1, "<i8")
    sizes = np.zeros((count, 2), "<u4")
    with array_file(files.path(CODES_NAME), CODE) as file:
        for row, (blob, _) in enumerate(zip(blobs, range(count), strict=True)):
            codes, width_px, height_px = codes_of(blob)
            file.write(codes.tobytes())
            starts[row + 1] = starts[row] + len(codes)
            sizes[row] = width_px, height_px
    np.save(files.path(STARTS_NAME), starts, allow_pickle=False)
    np.save(files.path(SIZES_NAME), sizes, allow_pickle=False)


def open_local_features(files: SegmentFiles) -> LocalFeatureTable:
    """Raises OSError, ValueError or SnapshotDamaged where the files cannot be read or do not fit."""
    return LocalFeatureTable(
        codes=_load_codes(files.path(CODES_NAME)),
        starts=load_array(files.path(STARTS_NAME)),
        sizes=load_array(files.path(SIZES_NAME)),
    )


CELL_STARTS_NAME = "cell_starts.npy"
CELL_ROWS_NAME = "cell_rows.npy"
CELL_SIGNATURES_NAME = "cell_signatures.npy"


LISTED_ROWS = 50_000
"""So many rows have lists of their own: of 500 features each they are made in 1.1 GB of memory."""


def write_cell_lists(files: SegmentFiles) -> None:
    """From the segment's local features."""
    table = open_local_features(files)
    with (
        array_file(files.path(CELL_STARTS_NAME), "<i8", (CELLS + 1,)) as starts,
        array_file(files.path(CELL_ROWS_NAME), "<u4") as rows,
        array_file(files.path(CELL_SIGNATURES_NAME), "<u8") as signatures,
    ):
        for first in range(0, len(table), LISTED_ROWS):
            listed = range(first, min(first + LISTED_ROWS, len(table)))
            lists = cell_lists(table.features(row) for row in listed)
            starts.write(lists.starts.astype("<i8", copy=False).tobytes())
            rows.write(lists.rows.astype("<u4", copy=False).tobytes())
            signatures.write(lists.signatures.astype("<u8", copy=False).tobytes())


def open_cell_lists(files: SegmentFiles) -> SegmentedCellLists:
    """Raises OSError, ValueError or SnapshotDamaged where the files cannot be read or do not fit."""
    starts = load_array(files.path(CELL_STARTS_NAME))
    rows = load_array(files.path(CELL_ROWS_NAME), mapped=True)
    signatures = load_array(files.path(CELL_SIGNATURES_NAME), mapped=True)
    row_count = len(load_array(files.path(SIZES_NAME), mapped=True))
    edges = np.cumsum([0, *starts[..., -1].ravel()])
    if starts.ndim != 2 or edges[-1] != len(rows) or len(starts) != -(-row_count // LISTED_ROWS):
        raise SnapshotDamaged("The stored lists of local features do not fit the snapshot; index again.")
    return SegmentedCellLists(
        [
            CellLists(min(LISTED_ROWS, row_count - first), own_starts, rows[low:high], signatures[low:high])
            for first, own_starts, low, high in zip(
                range(0, row_count, LISTED_ROWS), starts, edges[:-1], edges[1:], strict=True
            )
        ]
    )


def _load_codes(path: Path) -> NDArray[np.void]:
    codes: NDArray[Any] = load_array(path, mapped=True)
    return codes


MAPS_NAME = "conv_maps.npy"
MAP_STARTS_NAME = "conv_map_starts.npy"


def write_conv_maps(files: SegmentFiles, blobs: Iterable[bytes], count: int) -> None:
    """blobs: of `storage.to_bytes`, one a row, read once. Raises ValueError for more or less than `count`."""
    starts = np.zeros(count + 1, "<i8")
    with array_file(files.path(MAPS_NAME), "u1") as file:
        for row, (blob, _) in enumerate(zip(blobs, range(count), strict=True)):
            file.write(blob)
            starts[row + 1] = starts[row] + len(blob)
    np.save(files.path(MAP_STARTS_NAME), starts, allow_pickle=False)


def open_conv_maps(files: SegmentFiles) -> ConvMapTable:
    """Raises OSError, ValueError or SnapshotDamaged where the files cannot be read or do not fit."""
    blobs = load_array(files.path(MAPS_NAME), mapped=True)
    return ConvMapTable(blobs, load_array(files.path(MAP_STARTS_NAME)))


_ARRAYS = ("starts", "rows", "weights", "squared_norms")


def posting_name(array: str) -> str:
    """array: of `InvertedFile.to_arrays`."""
    return f"postings_{array}.npy"


def write_inverted_file(files: SegmentFiles, descriptors_name: str) -> None:
    """From the segment's descriptors, which are bags as dense vectors."""
    rows = load_array(files.path(descriptors_name), mapped=True)
    bags = (_bag(row.astype(np.float32)) for row in rows)
    for name, array in build_inverted_file(bags, rows.shape[1]).to_arrays().items():
        np.save(files.path(posting_name(name)), array, allow_pickle=False)


def open_inverted_file(files: SegmentFiles) -> InvertedFile:
    """Raises OSError or ValueError where the files cannot be read."""
    paths = {name: files.path(posting_name(name)) for name in _ARRAYS}
    return InvertedFile.from_arrays({name: load_array(path, mapped=True) for name, path in paths.items()})


def _bag(row: np.ndarray) -> Bag:
    words = np.flatnonzero(row).astype(np.int32)
    return Bag(words, row[words])
