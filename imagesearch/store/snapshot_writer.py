"""Writing a snapshot: the tables of its images, its calibration, and the manifest of all its files."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imagesearch.index.files import IndexReport
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.store.catalogue import CATALOGUE_NAME, CatalogueWriter
from imagesearch.store.content import SnapshotContent
from imagesearch.store.durable import sync_directory, sync_file
from imagesearch.store.layout import SegmentFiles, StoreLayout
from imagesearch.store.manifest import CHECKSUM_NAME, MANIFEST_NAME, FileEntry, Manifest
from imagesearch.store.segments import DESCRIPTORS_NAME, link_segments, write_segment
from imagesearch.store.snapshot import CALIBRATION_NAME, KNOWN_NAME, ORDER_NAME, open_matrix
from imagesearch.store.table_files import write_encodings


class SnapshotWriter:
    """Writes one snapshot: the images, then the calibration, beside them an index, at last the manifest."""

    def __init__(self, layout: StoreLayout, content: SnapshotContent, version: str, directory: Path) -> None:
        """version and directory: of `publish.next_snapshot`."""
        self._layout = layout
        self._content = content
        self._version = version
        self._directory = directory
        self._count = 0
        self._shared: dict[str, FileEntry] = {}
        self._refused_count = 0

    def write_images(self) -> DescriptorMatrix:
        """The base's segments and catalogue, the new segment, and the order of ids. Returns all descriptors.

        Raises ValueError where the content is not what it promises.
        """
        content, directory = self._content, self._directory
        if content.base is None:
            write_encodings(directory, content.encodings)
        else:
            base_directory = self._layout.snapshot_dir(content.base.manifest.version)
            shutil.copyfile(base_directory / CATALOGUE_NAME, directory / CATALOGUE_NAME)
            self._shared = link_segments(content.base.manifest, base_directory, directory)
        if content.known is not None:
            np.save(directory / KNOWN_NAME, content.known, allow_pickle=False)
        self._write_catalogue_and_segment()
        dim = content.encodings.descriptor.dim
        descriptors = open_matrix(directory, content.segment_rows, DESCRIPTORS_NAME, dim)
        self._count = descriptors.count
        return descriptors

    def write_calibration(self, background_distances: NDArray[np.float32]) -> None:
        np.save(self._directory / CALIBRATION_NAME, background_distances, allow_pickle=False)

    def write_manifest(self, index: IndexReport) -> Manifest:
        """Of every file that is there by now; they all survive a power failure then."""
        content = self._content
        names = sorted(path.name for path in self._directory.iterdir())
        manifest = Manifest(
            version=self._version,
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            count=self._count,
            segment_rows=content.segment_rows,
            dim=content.encodings.descriptor.dim,
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
            refused_count=self._refused_count,
            files={name: self._shared.get(name) or FileEntry.of(self._directory / name) for name in names},
        )
        manifest.write(self._directory)
        for name in [*names, MANIFEST_NAME, CHECKSUM_NAME]:
            sync_file(self._directory / name)
        sync_directory(self._directory)
        return manifest

    def _write_catalogue_and_segment(self) -> None:
        content, directory = self._content, self._directory
        shared_rows = content.shared_rows
        with closing(CatalogueWriter(directory / CATALOGUE_NAME, first_row=sum(shared_rows))) as catalogue:
            if content.base is not None:
                catalogue.delete(content.base.deleted)
                catalogue.move(content.base.moved)
            if len(content.segment_rows) > len(shared_rows):
                write_segment(SegmentFiles(directory, len(shared_rows)), content, catalogue)
            self._refused_count = catalogue.refuse(content.refused)
            np.save(directory / ORDER_NAME, catalogue.order(), allow_pickle=False)
            catalogue.finish()
