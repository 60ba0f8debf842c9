from __future__ import annotations

from pathlib import Path

import pytest

from imagesearch.errors import NotEnoughMemory
from imagesearch.store.layout import StoreLayout
from imagesearch.store.versions import versions
from indexer import new_snapshot
from indexer.new_snapshot import publish
from tests.imagesearch.store.stores import content


def test_without_the_memory_for_its_index_nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = StoreLayout(tmp_path / "store")
    publish(layout, content(range(4)))
    monkeypatch.setattr(new_snapshot, "available_bytes", lambda: 0)
    with pytest.raises(NotEnoughMemory):
        publish(layout, content(range(9)))
    assert versions(layout) == ["000001"]
