"""One snapshot, opened for answering: its rows, its index and the network for its queries."""

from __future__ import annotations

import threading
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.query_model import QueryModel
from extractor_service.live.sharing import Shared
from imagesearch.conv_maps.storage import SegmentedMaps
from imagesearch.errors import OptionUnavailable, SnapshotDamaged, UnknownImage
from imagesearch.index import MilvusAddress, open_index
from imagesearch.index.approximate import ApproximateIndex
from imagesearch.index.base import Index
from imagesearch.index.exact import ExactIndex
from imagesearch.index.inverted import InvertedIndex
from imagesearch.local_features.storage import SegmentedFeatures
from imagesearch.ranking.calibration import word_distances
from imagesearch.store.filters import Filter
from imagesearch.store.layout import StoreLayout
from imagesearch.store.manifest import IndexSummary
from imagesearch.store.records import ImageRecord
from imagesearch.store.snapshot import Snapshot

REMEMBERED_FILTERS = 16
"""Each takes a byte a row; pages of one search, and searches from its results, ask for the same one."""
_KNOWN_ANSWERS = 3
_CALIBRATION_SEED = 20170101
# An image's own descriptor is at distance 0 from itself; arithmetic may lose a little.
_SAME_DISTANCE = 1e-3


class ServedSnapshot(Shared):
    """Immutable. Closes its snapshot and indexes and lets go of its model when its last holder does.

    That happens in a thread of its own: the last holder may be the event loop, which cannot wait for the
    network to finish, and the memory that the last reference holds is given back there too.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        index: Index,
        exact_index: Index,
        model: QueryModel,
    ) -> None:
        super().__init__()
        self.snapshot = snapshot
        self.model = model
        self._index = index
        self._exact_index = exact_index
        self._selected = lru_cache(REMEMBERED_FILTERS)(snapshot.selected)
        model.hold()

    @property
    def version(self) -> str:
        return self.snapshot.manifest.version

    def index(self, exact: bool, where: Filter | None = None) -> Index:
        """The snapshot's index, for what the filter lets through, or the one that compares with every
        descriptor."""
        index = self._exact_index if exact else self._index
        return index.within(where) if where and isinstance(index, ApproximateIndex) else index

    def selected(self, where: Filter) -> NDArray[np.bool_] | None:
        """shape=(rows,): whether the filter lets a row's image through; None where it leaves nothing out.

        Raises UnknownFolder.
        """
        return self._selected(where) if where else None

    @cached_property
    def folders(self) -> dict[str, int]:
        """See `Snapshot.folders`; of a million images it takes seconds to count them."""
        return self.snapshot.folders()

    def local_features(self) -> SegmentedFeatures:
        """Raises OptionUnavailable where there are none."""
        if self.snapshot.local_features is None:
            raise OptionUnavailable(
                "This index holds no local features yet, so results cannot be verified; they come with the "
                "next build unless INDEXER_LOCAL_FEATURES=false."
            )
        return self.snapshot.local_features

    def conv_maps(self) -> SegmentedMaps:
        """Raises OptionUnavailable where there are none."""
        if self.snapshot.conv_maps is None:
            raise OptionUnavailable(
                "This index holds no convolutional maps, so results cannot be localised; index the photos "
                "again with INDEXER_LOCALIZATION=true and build --rebuild."
            )
        return self.snapshot.conv_maps

    @cached_property
    def word_distances(self) -> NDArray[np.float32]:
        """Of many words to images of the collection, ascending; what scores of words are taken from."""
        rng = np.random.default_rng(_CALIBRATION_SEED)
        return word_distances(self.model.known_words(), self.snapshot.descriptors, rng)

    def find(self, image_id: str) -> tuple[int, ImageRecord]:
        """The image's row and record. Raises UnknownImage."""
        row = self.snapshot.row_of(image_id)
        if row is None:
            raise UnknownImage("No image of this id is in the index.")
        return row, self.snapshot.records([row])[0]

    def summary(self, exact: bool = False) -> IndexSummary:
        manifest = self.snapshot.manifest
        return IndexSummary(
            version=manifest.version,
            count=manifest.count,
            descriptor=manifest.descriptor,
            model=manifest.model.name,
            model_title=self.model.title,
            approximate=self.index(exact).approximate,
        )

    def _close(self) -> None:
        threading.Thread(target=self._close_parts, name="close-snapshot").start()

    def _close_parts(self) -> None:
        for index in (self._index, self._exact_index):
            index.close()
        self.snapshot.close()
        self.model.release()
        # What they map and hold goes now: the traceback of a failed request may refer to this object until
        # Python collects its cycles.
        del self.snapshot, self.model, self._index, self._exact_index, self._selected


def open_for_serving(
    layout: StoreLayout,
    snapshot: Snapshot,
    model: QueryModel,
    threads: int,
    milvus: MilvusAddress | None = None,
) -> ServedSnapshot:
    """Opens the index and asks it for known answers. Raises SnapshotDamaged for a wrong one, and
    VectorsUnavailable where the vectors are in Milvus and it cannot be asked."""
    directory = layout.snapshot_dir(snapshot.manifest.version)
    kind = snapshot.manifest.index.kind
    index: Index
    if kind == "inverted":
        index = InvertedIndex(snapshot.inverted_files, snapshot.descriptors)
    else:
        index = open_index(kind, directory, snapshot.descriptors, threads, milvus)
    try:
        check_known_answers(snapshot, index)
    except BaseException:
        index.close()
        raise
    exact_index = index
    if kind != "exact":
        exact_index = ExactIndex(snapshot.descriptors, threads)
    return ServedSnapshot(snapshot, index, exact_index, model)


def check_known_answers(snapshot: Snapshot, index: Index) -> None:
    """A few images, searched for by their own descriptors, must be found at no distance."""
    if len(index) == 0:
        return
    places = np.linspace(0, len(index) - 1, _KNOWN_ANSWERS, dtype=np.int64)
    for descriptor in snapshot.descriptors[snapshot.descriptors.rows_at(places)]:
        query = descriptor[np.newaxis].astype(np.float32)
        # Another image may have the very same descriptor, so the distance tells, not the row.
        if not index.search(query, 1).distances[0, 0] <= _SAME_DISTANCE:
            raise SnapshotDamaged("The index does not find an image by its own descriptor; index again.")
