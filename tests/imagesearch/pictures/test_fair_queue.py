"""A client whose photos are costly must not stop the others."""

from __future__ import annotations

from imagesearch.pictures.fair_queue import COSTLY_S, HALF_LIFE_S, FairQueue


def test_who_has_cost_least_is_next_and_each_client_is_served_in_order() -> None:
    queue: FairQueue[int] = FairQueue()
    queue.charge("costly", 3)
    for number in range(3):
        queue.put("costly", number)
    queue.put("cheap", 10)
    queue.put("cheap", 11)
    queue.close()
    order = [queue.take(), queue.take(), queue.take(), queue.take(), queue.take(), queue.take()]
    assert order == [("cheap", 10), ("cheap", 11), ("costly", 0), ("costly", 1), ("costly", 2), None]


def test_what_a_client_has_cost_is_forgotten_with_time() -> None:
    now = 0.0
    queue: FairQueue[str] = FairQueue(lambda: now)
    queue.charge("earlier", 4)
    now = 3 * HALF_LIFE_S
    queue.charge("later", 1)
    queue.put("later", "")
    queue.put("earlier", "")
    assert queue.take() == ("earlier", "")


def test_a_worker_that_is_left_to_cheap_photos_passes_over_the_others() -> None:
    queue: FairQueue[str] = FairQueue()
    for _ in range(100):
        queue.charge("busy", COSTLY_S / 5)
    queue.charge("costly", 3 * COSTLY_S)
    queue.put("costly", "slow")
    queue.put("busy", "quick")
    assert queue.take(costly_too=False) == ("busy", "quick")


def test_a_client_is_costly_no_more_once_its_photos_are_not() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.charge("costly", 3 * COSTLY_S)
    queue.put("costly", "")
    queue.put("cheap", "")
    assert queue.take(costly_too=False) == ("cheap", "")
    for _ in range(2):  # 3.0, then 1.55, then 0.8 of late
        queue.charge("costly", 0.1)
    assert queue.take(costly_too=False) == ("costly", "")
