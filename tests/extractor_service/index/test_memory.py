from __future__ import annotations

import pytest

from extractor_service.errors import NotEnoughMemory
from extractor_service.index.memory import estimated_bytes, require_memory
from extractor_service.index.plan import APPROXIMATE_KINDS, IndexPlan

GB = 10**9


@pytest.mark.parametrize("kind", APPROXIMATE_KINDS)
def test_more_images_take_more_and_ten_million_no_more_than_a_workstation_has(kind: str) -> None:
    sizes = [estimated_bytes(kind, count, 512) for count in (10**4, 10**5, 10**6, 10**7)]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] < 8 * GB


def test_an_index_that_would_not_fit_is_refused_with_both_sizes_and_a_way_out() -> None:
    with pytest.raises(NotEnoughMemory, match=r"ivf.* 10,000,000 .*1\.\d GB.*800 MB.*INDEXER_INDEX=exact"):
        require_memory(IndexPlan("auto"), 10_000_000, 512, available_bytes=800_000_000)
    require_memory(IndexPlan("auto"), 10_000_000, 512, available_bytes=2 * GB)
    require_memory(IndexPlan("exact"), 10_000_000, 512, available_bytes=GB)
