"""Reading a published snapshot."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence, Sized
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from imagesearch.array_file import load_array
from imagesearch.conv_maps.storage import SegmentedMaps
from imagesearch.descriptors.base import Encodings
from imagesearch.errors import SnapshotDamaged, StoreMissing, UnknownFolder
from imagesearch.index.inverted import InvertedFile
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.local_features.storage import SegmentedFeatures
from imagesearch.local_features.votes import SegmentedCellLists
from imagesearch.ranking.kinship import Kinship
from imagesearch.store.catalogue import CATALOGUE_NAME, Catalogue
from imagesearch.store.duplicates import Pair
from imagesearch.store.filters import Filter
from imagesearch.store.folders import image_counts
from imagesearch.store.layout import SegmentFiles, StoreLayout
from imagesearch.store.manifest import Manifest
from imagesearch.store.records import ImageRecord, RefusedFile
from imagesearch.store.segments import DESCRIPTORS_NAME
from imagesearch.store.table_files import (
    CELL_ROWS_NAME,
    CODES_NAME,
    DESCRIPTOR_ENCODING_NAME,
    MAPS_NAME,
    open_cell_lists,
    open_conv_maps,
    open_encodings,
    open_inverted_file,
    open_local_features,
    posting_name,
)

ORDER_NAME = "order.npy"
CALIBRATION_NAME = "calibration.npy"
KNOWN_NAME = "known.npy"

Table = TypeVar("Table", bound=Sized)


def current_version(layout: StoreLayout) -> str | None:
    """The version of the live snapshot; None where nothing has been published."""
    try:
        version = layout.current_path.read_text("ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SnapshotDamaged("The store's CURRENT file cannot be read; index again.") from error
    if not version.isdecimal():
        raise SnapshotDamaged("The store's CURRENT file names no snapshot; index again to publish a new one.")
    return version


class Snapshot:
    """One immutable state of the index. Thread-safe, also while `prune` removes its files.

    Close it when the last reader is done; `descriptors` stays mapped for as long as somebody refers to it.
    """

    def __init__(
        self,
        manifest: Manifest,
        descriptors: DescriptorMatrix,
        background_distances: NDArray[np.float32],
        catalogue: Catalogue,
        encodings: Encodings,
        local_features: SegmentedFeatures | None = None,
        conv_maps: SegmentedMaps | None = None,
        cell_lists: SegmentedCellLists | None = None,
        inverted_files: Sequence[InvertedFile] = (),
        known: NDArray[np.float16] | None = None,
    ) -> None:
        self.manifest = manifest
        self.descriptors = descriptors
        """Of every row, memory-mapped, read-only, L2-normalised."""
        self.background_distances = background_distances
        """shape=(P,), ascending: distances of random pairs of the collection; empty below two images."""
        self.encodings = encodings
        """What was learnt of the collection, and makes the vectors of a query comparable with it."""
        self.local_features = local_features
        """Of every row, memory-mapped; None where the snapshot was published without."""
        self.conv_maps = conv_maps
        """The same of convolutional maps."""
        self.cell_lists = cell_lists
        """The same features by their cells, to vote with."""
        self.inverted_files = inverted_files
        """Of each segment where the descriptors are sparse, else none."""
        self.known = known
        """The vectors of `known_picture`, shape=(R, C), by the network that described the photos; None where
        it was not kept, or there is no network."""
        self._catalogue = catalogue

    @classmethod
    def open(cls, layout: StoreLayout, version: str | None = None) -> Snapshot:
        """Opens the live snapshot, or the one named.

        Raises StoreMissing where there is none, SnapshotDamaged where its files disagree with its manifest,
        SnapshotOutdated where it is of an earlier format.
        """
        if version is not None:
            return _open(layout, version)
        live = _live_version(layout)
        while True:
            try:
                return _open(layout, live)
            except (StoreMissing, SnapshotDamaged):
                # It may have been superseded and pruned between the two reads.
                newer = _live_version(layout)
                if newer == live:
                    raise
                live = newer

    def row_of(self, image_id: str) -> int | None:
        return self._catalogue.row_of(image_id)

    def records(self, rows: Sequence[int]) -> list[ImageRecord]:
        """In the order asked for. Raises IndexError for a row that is not there or whose image is deleted."""
        return self._catalogue.records(rows)

    def page(self, after_image_id: str, size: int) -> list[ImageRecord]:
        """The next images in ascending order of id; "" starts at the first."""
        return self._catalogue.page(after_image_id, size)

    def folder_page(self, folder: str, after_path: str, size: int) -> list[tuple[str, ImageRecord]]:
        """The next images under a folder in order of path, each with its first path there."""
        return self._catalogue.folder_page(folder, after_path, size)

    def sample(self, size: int, seed: int = 0) -> list[ImageRecord]:
        """At most `size` images, spread evenly over the ids: the same ones every time for the same seed."""
        count = self.manifest.count
        size = min(size, count)
        moved = Random(seed)
        places = [(index * count + (moved.randrange(count) if seed else 0)) // size for index in range(size)]
        return self.records(self.descriptors.rows_at(places).tolist())

    def akin(self, pairs: Mapping[Pair, Kinship]) -> tuple[dict[Pair, Kinship], dict[str, ImageRecord]]:
        """Those pairs of which both images are here; and by id, every image in one or with several paths."""
        rows = {image_id: self.row_of(image_id) for image_id in {each for pair in pairs for each in pair}}
        there = {image_id: row for image_id, row in rows.items() if row is not None}
        wanted = sorted({*there.values(), *self._catalogue.rows_of_copies()})
        kept = {pair: kind for pair, kind in pairs.items() if pair[0] in there and pair[1] in there}
        return kept, {record.image_id: record for record in self.records(wanted)}

    def refused(self, limit: int, offset: int = 0) -> list[RefusedFile]:
        """Files that could not be indexed, in order of path, from the one after the first `offset` on."""
        return self._catalogue.refused(limit, offset)

    def refusals(self) -> dict[str, int]:
        """How many files could not be indexed, by reason, most first."""
        return self._catalogue.refusals()

    def selected(self, where: Filter) -> NDArray[np.bool_]:
        """shape=(rows,): whether the filter lets a row's image through. Raises UnknownFolder."""
        rows = self._catalogue.rows_of(where)
        if where.folder and not len(rows) and not len(self._catalogue.rows_of(Filter(where.folder))):
            raise UnknownFolder("No indexed photo is in this folder.")
        mask = np.zeros(len(self.descriptors), np.bool_)
        mask[rows] = True
        return mask

    def folders(self) -> dict[str, int]:
        """By folder, how many images are in it or below it: as many as its `Filter` lets through."""
        return image_counts(self._catalogue.paths_by_row())

    def close(self) -> None:
        self._catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _live_version(layout: StoreLayout) -> str:
    version = current_version(layout)
    if version is None:
        raise StoreMissing("The store holds no published snapshot; index a folder of photos first.")
    return version


def _open(layout: StoreLayout, version: str) -> Snapshot:
    directory = layout.snapshot_dir(version)
    if not directory.is_dir():
        raise StoreMissing(f"The store holds no snapshot {version}; index again to publish a new one.")
    manifest = Manifest.read(directory)
    damage = manifest.damage(directory, hashed=manifest.is_hashed_at_opening)
    if damage:
        raise SnapshotDamaged(f"{damage[0]} Index again to publish a new snapshot.")
    descriptors = open_matrix(directory, manifest.segment_rows, DESCRIPTORS_NAME, manifest.dim)
    if descriptors.count != manifest.count:
        raise _disagrees(directory / ORDER_NAME)
    encodings = open_encodings(directory, manifest)
    if encodings.descriptor.dim != manifest.dim:
        raise _disagrees(directory / DESCRIPTOR_ENCODING_NAME)
    return Snapshot(
        manifest,
        descriptors,
        _open_calibration(directory),
        _open_catalogue(directory, manifest.count),
        encodings,
        local_features=_open_local_features(directory, manifest),
        conv_maps=_open_conv_maps(directory, manifest),
        cell_lists=_open_cell_lists(directory, manifest),
        inverted_files=_open_inverted_files(directory, manifest),
        known=_load(directory / KNOWN_NAME) if KNOWN_NAME in manifest.files else None,
    )


def _open_local_features(directory: Path, manifest: Manifest) -> SegmentedFeatures | None:
    if not manifest.local_features:
        return None
    return SegmentedFeatures(_open_tables(directory, manifest, open_local_features, CODES_NAME))


def _open_conv_maps(directory: Path, manifest: Manifest) -> SegmentedMaps | None:
    if not manifest.localization:
        return None
    return SegmentedMaps(_open_tables(directory, manifest, open_conv_maps, MAPS_NAME))


def _open_cell_lists(directory: Path, manifest: Manifest) -> SegmentedCellLists | None:
    if not manifest.local_features:
        return None
    tables = _open_tables(directory, manifest, open_cell_lists, CELL_ROWS_NAME)
    return SegmentedCellLists([part for table in tables for part in table.parts])


def _open_inverted_files(directory: Path, manifest: Manifest) -> list[InvertedFile]:
    if not manifest.recipe.is_sparse:
        return []
    return _open_tables(directory, manifest, open_inverted_file, posting_name("rows"))


def open_matrix(directory: Path, segment_rows: Sequence[int], name: str, dim: int) -> DescriptorMatrix:
    """Of all segments, in the order of ids. Raises SnapshotDamaged where a file is not as expected."""
    paths = [SegmentFiles(directory, number).path(name) for number in range(len(segment_rows))]
    parts = [_load(path, mapped=True) for path in paths]
    for path, part, rows in zip(paths, parts, segment_rows, strict=True):
        if part.dtype != np.float16 or part.shape != (rows, dim):
            raise _disagrees(path)
    order = _load(directory / ORDER_NAME, mapped=True)
    if order.dtype != np.uint32 or order.ndim != 1:
        raise _disagrees(directory / ORDER_NAME)
    if len(parts) == 1 and len(order) == len(parts[0]):
        return DescriptorMatrix(parts)
    try:
        return DescriptorMatrix(parts, order)
    except ValueError as error:
        raise _disagrees(directory / ORDER_NAME) from error


def _open_calibration(directory: Path) -> NDArray[np.float32]:
    background = _load(directory / CALIBRATION_NAME)
    if background.dtype != np.float32 or background.ndim != 1:
        raise _disagrees(directory / CALIBRATION_NAME)
    return background


def _open_tables(
    directory: Path, manifest: Manifest, open_table: Callable[[SegmentFiles], Table], name: str
) -> list[Table]:
    """One a segment. name: of the file that is blamed for what is wrong."""
    tables = []
    for number, rows in enumerate(manifest.segment_rows):
        files = SegmentFiles(directory, number)
        try:
            tables.append(open_table(files))
        except (OSError, ValueError) as error:
            raise _disagrees(files.path(name)) from error
        if len(tables[-1]) != rows:
            raise _disagrees(files.path(name))
    return tables


def _load(path: Path, mapped: bool = False) -> NDArray[Any]:
    try:
        array = load_array(path, mapped)
    except (OSError, ValueError) as error:
        raise _disagrees(path) from error
    return np.asarray(array)  # still mapped, but spares each access what the memmap class adds


def _open_catalogue(directory: Path, count: int) -> Catalogue:
    try:
        catalogue = Catalogue(directory / CATALOGUE_NAME)
        if catalogue.count() == count:
            return catalogue
    except sqlite3.Error as error:
        raise _disagrees(directory / CATALOGUE_NAME) from error
    raise _disagrees(directory / CATALOGUE_NAME)


def _disagrees(path: Path) -> SnapshotDamaged:
    return SnapshotDamaged(f"{path.parent.name}/{path.name} disagrees with its manifest; index again.")
