"""A refusal is not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from imagesearch.errors import TooCostly
from imagesearch.pictures.decoders import decoders_version
from imagesearch.store.left_out import read_left_out
from indexer import intake, refusals
from indexer.decoded import decode_ahead
from tests.imagesearch.store.older import make_older
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many


@pytest.fixture
def workplace(workplace: Workplace) -> Workplace:
    """Two good photos, and a file that never is one."""
    draw_many(workplace.images, range(2))
    (workplace.images / "bad.jpg").write_bytes(b"no picture")
    return workplace


def tries(workplace: Workplace, **settings: Any) -> bool:
    """Whether a build, in which no file has changed, tries one again: the network is loaded for it."""
    workplace.networks.loaded.clear()
    assert workplace.build(**settings).refused == 1
    return bool(workplace.networks.loaded)


def test_what_was_left_out_of_the_folder_can_be_read_from_the_store(workplace: Workplace) -> None:
    assert read_left_out(workplace.layout) == {}
    draw(workplace.images / ".hidden" / "9.png", 9)
    (workplace.images / "notes.txt").touch()
    workplace.build()
    assert read_left_out(workplace.layout) == {"hidden folder": 1, "other file": 1}


def test_a_file_is_accepted_once_the_limit_that_refused_it_is_raised(workplace: Workplace) -> None:
    draw(workplace.images / "wide.png", 9)
    assert workplace.build(max_pixels=64 * 48 - 1, accept_loss=True).images == 0
    summary = workplace.build(max_pixels=64 * 48)
    assert (summary.added, summary.refused) == (3, 1)
    assert "wide.png" in workplace.indexed()


@pytest.mark.parametrize(
    "limit",
    [
        {"max_image_bytes": 10**7},
        {"max_pixels": 10**7},
        {"decode_timeout_s": 59.0},
        {"decode_memory_bytes": 1 << 30},
    ],
    ids=lambda limit: next(iter(limit)),
)
def test_a_refused_file_is_tried_once_when_a_limit_has_changed(
    workplace: Workplace, limit: dict[str, Any]
) -> None:
    workplace.build()
    assert not tries(workplace)
    assert tries(workplace, **limit)
    assert not tries(workplace, **limit)


def test_and_once_when_a_decoder_has(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    workplace.build()
    monkeypatch.setattr(refusals, "decoders_version", lambda: f"{decoders_version()}, another 1.0")
    assert tries(workplace)
    assert not tries(workplace)


def test_and_once_where_nobody_remembers_what_refused_it(workplace: Workplace) -> None:
    workplace.build()
    make_older(workplace.layout)
    assert tries(workplace)
    assert not tries(workplace)


def test_what_cost_too_much_is_left_alone_by_a_run_that_follows_another_at_once(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode_on_a_busy_machine(*arguments: Any) -> Iterator[Any]:
        for file, _ in decode_ahead(*arguments):
            yield file, TooCostly("The image takes longer to decode than is allowed.")

    workplace.build()
    monkeypatch.setattr(intake, "decode_ahead", decode_on_a_busy_machine)
    draw(workplace.images / "slow.png", 9)
    assert workplace.build().refused == 2
    workplace.networks.loaded.clear()
    assert workplace.build(again=True).refused == 2
    assert workplace.networks.loaded == []
    draw(workplace.images / "slow.png", 10)
    workplace.build(again=True)
    assert workplace.networks.loaded != []


def test_time_memory_and_dead_decoders_are_forgiven_at_every_build(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:

    def decode_on_a_busy_machine(*arguments: Any) -> Iterator[Any]:
        for file, decoded in decode_ahead(*arguments):
            slow = TooCostly("The image takes longer to decode than is allowed.")
            yield file, slow if file.path == "slow.png" else decoded

    draw(workplace.images / "slow.png", 9)
    (workplace.images / "bad.jpg").unlink()
    with monkeypatch.context() as busy:
        busy.setattr(intake, "decode_ahead", decode_on_a_busy_machine)
        for _ in range(2):
            assert tries(workplace)
        assert not workplace.build().published, "nothing new to show"
    summary = workplace.build()
    assert (summary.added, summary.refused) == (1, 0)
    assert "slow.png" in workplace.indexed()
