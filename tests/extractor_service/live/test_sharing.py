from __future__ import annotations

import pytest

from extractor_service.live.sharing import Shared


class Door(Shared):
    closed = 0

    def _close(self) -> None:
        self.closed += 1


def test_it_closes_once_when_the_last_holder_lets_go() -> None:
    door = Door()
    door.hold()
    door.release()
    assert door.closed == 0
    door.release()
    assert door.closed == 1


def test_a_holder_that_fails_lets_go() -> None:
    door = Door()
    with pytest.raises(KeyError), door.held():
        door.release()
        assert door.closed == 0
        raise KeyError
    assert door.closed == 1


def test_a_closed_thing_cannot_be_held_again() -> None:
    door = Door()
    door.release()
    with pytest.raises(RuntimeError):
        door.hold()
