from __future__ import annotations

import contextlib

import pytest

from gateway import gate
from gateway.errors import Overloaded, RateLimited
from gateway.gate import Gate, RateLimit, Shared, account_of
from gateway.settings import Settings


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


def test_rate_zero_is_no_limit() -> None:
    limit = RateLimit(0, Clock())
    for _ in range(10_000):
        limit.spend("a")


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


def taken(shared: Shared, client: str) -> int:
    """How much a client gets that takes whatever it can, bit by bit."""
    for amount in range(100):
        try:
            shared.take(client)
        except Overloaded:
            return amount
    raise AssertionError("no bound")


def test_a_client_gets_no_more_than_it_leaves_free() -> None:
    shared = Shared(64)
    assert [taken(shared, client) for client in ("a", "b", "c", "d")] == [32, 16, 8, 4]
    shared.give_back("b", 16)
    assert taken(shared, "e") > 8


def test_clients_without_an_address_are_bounded_together() -> None:
    shared = Shared(10)
    shared.take(None, 10)
    with pytest.raises(Overloaded):
        shared.take(None)


def gate_for(max_body_bytes: int = 100, **settings: object) -> Gate:
    return Gate(Settings().model_copy(update=settings), max_body_bytes)


def test_a_place_is_free_again_however_a_search_ends() -> None:
    places = gate_for(max_concurrent_searches=1)
    with pytest.raises(ZeroDivisionError), places.search("a"):
        with pytest.raises(Overloaded), places.search("b"):
            pass
        _ = 1 / 0
    with places.search("a"):
        pass


def test_a_body_counts_by_what_has_arrived_of_it() -> None:
    places = gate_for(max_body_bytes=100)
    with contextlib.ExitStack() as under_way:
        takes = [under_way.enter_context(places.body(f"client {number}")) for number in range(100)]
        for take in takes:
            take(1)
        for take in takes[: gate.LARGEST_AT_ONCE - 2]:
            take(99)
        with pytest.raises(Overloaded):
            takes[-1](100)
    with places.body("a") as take:
        take(100)


def test_reads_are_limited_by_client_and_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "MAX_CONCURRENT_READS", 4)
    places = gate_for(read_rate_limit_per_minute=4)
    full = places.read("a"), places.read("a"), places.read("b"), places.read("c")
    with full[0], full[1], full[2], full[3], pytest.raises(Overloaded), places.read("d"):
        pass
    with places.read("a"), places.read("a"):
        pass
    with pytest.raises(RateLimited), places.read("a"):
        pass
