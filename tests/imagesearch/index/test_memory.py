from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imagesearch.errors import NotEnoughMemory
from imagesearch.index.building.builder import estimated_bytes, require_memory
from imagesearch.index.kinds import KINDS, IndexPlan
from tests.imagesearch.index.test_builder import photos_like

GB = 10**9

BUILD = """
import re, sys, threading
from pathlib import Path
import cv2, numpy
from imagesearch.index import DescriptorMatrix, IndexPlan
from imagesearch.index.building.builder import build_index

def own_bytes():
    return 1024 * int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

def watch():
    global most
    while not done.wait(0.002):
        most = max(most, own_bytes())

most = before = own_bytes()
done = threading.Event()
watching = threading.Thread(target=watch)
watching.start()
matrix = DescriptorMatrix([numpy.load(sys.argv[1], mmap_mode="r")])
assert build_index(IndexPlan(sys.argv[2], 0.1), matrix, Path(sys.argv[3])).kind == sys.argv[2]
done.set()
watching.join()
print(most - before)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_more_images_take_more_and_ten_million_no_more_than_a_workstation_has(kind: str) -> None:
    sizes = [estimated_bytes(kind, count, 512) for count in (10**4, 10**5, 10**6, 10**7)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] < 8 * GB


def test_an_index_that_would_not_fit_is_refused_with_both_sizes_and_a_way_out() -> None:
    with pytest.raises(NotEnoughMemory, match=r"ivf.* 10,000,000 .*1\.\d GB.*800 MB.*INDEXER_INDEX=exact"):
        require_memory(IndexPlan("auto"), 10_000_000, 512, available_bytes=800_000_000)
    require_memory(IndexPlan("auto"), 10_000_000, 512, available_bytes=2 * GB)
    require_memory(IndexPlan("exact"), 10_000_000, 512, available_bytes=GB)


@pytest.mark.parametrize("kind", ["pq", "flann"])
def test_building_takes_no_more_than_was_estimated(kind: str, tmp_path: Path) -> None:
    count, dim = 20_000, 4_096
    np.save(tmp_path / "rows.npy", photos_like(count, dim, seed=3))
    arguments = [str(tmp_path / "rows.npy"), kind, str(tmp_path)]
    done = subprocess.run([sys.executable, "-c", BUILD, *arguments], check=True, capture_output=True)
    taken = int(done.stdout)
    assert taken <= estimated_bytes(kind, count, dim) < 3 * taken
