from __future__ import annotations

import contextlib

import pytest

from gateway import gate
from gateway.errors import Overloaded, RateLimited
from gateway.gate import Gate, RateLimit, account_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    clock = Clock()
    limit = RateLimit(60, clock)
    for _ in range(60):
        limit.spend("a")
    with pytest.raises(RateLimited) as refused:
        limit.spend("a")
    assert refused.value.retry_after_s == 1
    clock.now += 1.01
    limit.spend("a")
    with pytest.raises(RateLimited):
        limit.spend("a")


def test_being_refused_costs_nothing() -> None:
    clock = Clock()
    limit = RateLimit(1, clock)
    limit.spend("a")
    for _ in range(10):
        with pytest.raises(RateLimited):
            limit.spend("a")
    clock.now += 60.1
    limit.spend("a")


def test_clients_do_not_share_an_allowance() -> None:
    limit = RateLimit(1, Clock())
    limit.spend("a")
    limit.spend("b")


def test_the_longest_unseen_client_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MAX_REMEMBERED_CLIENTS", 2)
    limit = RateLimit(1, Clock())
    limit.spend("a")
    limit.spend("b")
    with pytest.raises(RateLimited):
        limit.spend("a")  # seen again
    limit.spend("c")
    limit.spend("b")
    with pytest.raises(RateLimited):
        limit.spend("c")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("a unix socket", "a unix socket", True),
    ],
)
def test_an_account_is_an_address_or_an_ipv6_subscriber(one: str, other: str, is_same: bool) -> None:
    assert (account_of(one) == account_of(other)) == is_same


def test_a_place_is_free_again_however_a_search_ends() -> None:
    places = Gate(0, 1, 100)
    with pytest.raises(ZeroDivisionError), places.admit("a", 0):
        with pytest.raises(Overloaded), places.admit("b", 0):
            pass
        _ = 1 / 0
    with places.admit("a", 0):
        pass


def test_small_bodies_pass_where_large_ones_have_no_room_left() -> None:
    places = Gate(0, 1000, 100)
    with contextlib.ExitStack() as under_way:
        for _ in range(gate.LARGEST_AT_ONCE - 1):
            under_way.enter_context(places.admit("a", 100))
        for _ in range(100):
            under_way.enter_context(places.admit("a", 1))
        with pytest.raises(Overloaded), places.admit("a", 1):
            pass
        with places.admit("a", 0):
            pass
    with places.admit("a", 100):
        pass


def test_rate_zero_is_no_limit() -> None:
    places = Gate(0, 1, 1)
    for _ in range(10_000):
        with places.admit("a", 0):
            pass
