"""A folder of photos, a store, and building the one from the other with a fake network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from indexer.build import Options, build
from indexer.settings import IndexerSettings
from indexer.summary import Summary
from tests.indexer.fake_networks import FakeNetworks


@contextmanager
def no_progress(total: int) -> Iterator[Callable[[int], object]]:
    settled = 0

    def advance(count: int) -> None:
        nonlocal settled
        settled += count

    yield advance
    assert settled == total


@dataclass
class Workplace:
    images: Path
    store: Path
    networks: FakeNetworks = field(default_factory=FakeNetworks)

    @property
    def layout(self) -> StoreLayout:
        return StoreLayout(self.store)

    def build(
        self,
        *,
        rebuild: bool = False,
        accept_loss: bool = False,
        check: bool = False,
        again: bool = False,
        **settings: Any,
    ) -> Summary:
        """Without local features unless they are asked for: their second pass takes a while."""
        given: dict[str, Any] = {
            "images_dir": self.images,
            "store_dir": self.store,
            "workers": 2,
            "keep_missing_days": 0,
            "local_features": False,
        } | settings
        dask = given.pop("dask", "")
        return build(
            IndexerSettings(**given),
            self.networks,
            no_progress,
            Options(rebuild, accept_loss, check, again, dask),
        )

    def indexed(self) -> dict[str, NDArray[np.float16]]:
        """What the live snapshot holds: descriptors by path."""
        with Snapshot.open(self.layout) as snapshot:
            rows = snapshot.descriptors.order
            return {
                path: descriptor
                for record, descriptor in zip(
                    snapshot.records(rows.tolist()), snapshot.descriptors[rows], strict=True
                )
                for path in record.paths
            }

    def conv_maps(self) -> dict[str, NDArray[np.uint8]]:
        """What the live snapshot holds of them, by path."""
        with Snapshot.open(self.layout) as snapshot:
            assert snapshot.conv_maps is not None
            rows = snapshot.descriptors.order.tolist()
            return {
                path: snapshot.conv_maps.codes(row)
                for row, record in zip(rows, snapshot.records(rows), strict=True)
                for path in record.paths
            }


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    images = tmp_path / "images"
    images.mkdir()
    return Workplace(images, tmp_path / "store")
