"""The indexer with the real EfficientNet-Lite0, on real photos."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.backbones import Precision, load_backbone
from imagesearch.descriptors.base import Descriptor
from imagesearch.descriptors.kinds import create_descriptor
from imagesearch.pictures.decode import ImageLimits, decode
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from indexer.__main__ import main
from tests.conftest import REPOSITORY

PHOTOS = 40
LIMITS = ImageLimits(10**8, 10**8)


@pytest.fixture(scope="module")
def photos(holidays_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for path in sorted(holidays_dir.glob("*.jpg"))[:PHOTOS]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def layout(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> StoreLayout:
    """A store of them, built once."""
    store = tmp_path_factory.mktemp("efficientnet") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INDEXER_MODEL", "efficientnet-lite0")
        assert main(["build", "--images", str(photos), "--store", str(store)]) == 0
    return StoreLayout(store)


@pytest.fixture(scope="module")
def descriptor(layout: StoreLayout) -> Descriptor:
    with Snapshot.open(layout) as snapshot:
        model = snapshot.manifest.model
    return create_descriptor("embedding", load_backbone(layout.models_dir, model, Precision.AUTO, threads=1))


def network_input(descriptor: Descriptor, path: Path) -> NDArray[np.uint8]:
    return descriptor.input_plan.prepare(decode(path.read_bytes(), LIMITS).rgb)


def rows(descriptor: Descriptor, inputs: list[NDArray[np.uint8]]) -> NDArray[np.float16]:
    return np.concatenate(descriptor.describe(inputs)).astype(np.float16)


def test_each_photo_is_its_own_nearest_at_a_distance_below_a_hundredth(
    layout: StoreLayout, photos: Path, descriptor: Descriptor
) -> None:
    with Snapshot.open(layout) as snapshot:
        rows = snapshot.descriptors[snapshot.descriptors.order].astype(np.float32)
        for row, image in enumerate(snapshot.records(range(snapshot.manifest.count))):
            query = descriptor.describe([network_input(descriptor, photos / image.paths[0])])[0][0]
            distances = np.linalg.norm(rows - query, axis=1)
            assert np.argmin(distances) == row
            assert distances[row] < 0.01


def test_it_is_computed_in_the_precision_that_costs_no_results(layout: StoreLayout) -> None:
    with Snapshot.open(layout) as snapshot:
        assert snapshot.manifest.precision is Precision.F32


def test_a_descriptor_does_not_depend_on_what_else_is_in_its_batch(
    photos: Path, descriptor: Descriptor
) -> None:
    """Else a run that was killed and resumed would not end like an undisturbed one."""
    inputs = [network_input(descriptor, path) for path in sorted(photos.iterdir())[:32]]
    whole = rows(descriptor, inputs)
    for batch in (inputs[:1], inputs[:7], inputs[:20]):
        np.testing.assert_array_equal(rows(descriptor, batch), whole[: len(batch)])
    backwards = rows(descriptor, inputs[::-1])
    np.testing.assert_array_equal(backwards[::-1], whole)


def test_an_unchanged_folder_loads_neither_the_network_nor_what_runs_it(
    layout: StoreLayout, photos: Path
) -> None:
    program = (
        "import sys; from indexer.__main__ import main; "
        f"code = main(['build', '--images', {str(photos)!r}, '--store', {str(layout.root)!r}]); "
        "heavy = {'openvino', 'tensorflow', 'keras'} & sys.modules.keys(); "
        "sys.exit(code or bool(heavy))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INDEXER_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{PHOTOS} kept" in done.stdout
