from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from extractor_service.live.query_model import load_query_model
from extractor_service.live.served_snapshot import check_known_answers, open_for_serving
from imagesearch.backbones.base import Precision
from imagesearch.errors import SnapshotDamaged, UnknownImage
from imagesearch.index.base import Neighbours
from imagesearch.store.snapshot import Snapshot
from tests.extractor_service.serving import Folder, load_fake


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder.at(tmp_path, seeds=range(4))
    folder.publish()
    return folder


class FarIndex:
    """Finds everything at one distance."""

    kind = "far"
    approximate = True

    def __init__(self, distance: float) -> None:
        self._distance = distance

    def __len__(self) -> int:
        return 4

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.bool_] | None = None
    ) -> Neighbours:
        shape = (len(queries), k)
        return Neighbours(np.zeros(shape, np.int64), np.full(shape, self._distance, np.float32))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("distance", [0.1, float("nan"), float("inf")])
def test_an_index_that_does_not_find_an_image_by_itself_is_damaged(folder: Folder, distance: float) -> None:
    with Snapshot.open(folder.layout) as snapshot, pytest.raises(SnapshotDamaged):
        check_known_answers(snapshot, FarIndex(distance))


def test_an_index_that_finds_images_by_themselves_passes(folder: Folder) -> None:
    with Snapshot.open(folder.layout) as snapshot:
        check_known_answers(snapshot, FarIndex(0.0))


def test_images_are_found_by_id_and_only_by_id(folder: Folder) -> None:
    snapshot = Snapshot.open(folder.layout)
    model = load_query_model(snapshot.manifest, None, load_fake, Precision.AUTO, max_batch=1)
    served = open_for_serving(folder.layout, snapshot, model, threads=1)
    model.release()
    row, record = served.find(folder.id_of("002.png"))
    assert record.paths == ("002.png",)
    assert [r.image_id for r in snapshot.page("", 10)][row] == record.image_id
    with pytest.raises(UnknownImage):
        served.find("002.png")
    served.release()
