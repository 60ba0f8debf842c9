"""A client whose photos are costly must not stop the others."""

from __future__ import annotations

from imagesearch.pictures.fair_queue import COSTLY_S, HALF_LIFE_S, FairQueue


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


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


def test_a_worker_that_is_left_to_cheap_photos_passes_over_the_others() -> None:
    clock = Clock()
    queue: FairQueue[str] = FairQueue(clock)
    queue.charge("costly", 2 * COSTLY_S)
    queue.put("costly", "slow")
    queue.put("cheap", "quick")
    assert queue.take(costly_too=False) == ("cheap", "quick")
    clock.now = 1.1 * HALF_LIFE_S
    assert queue.take(costly_too=False) == ("costly", "slow")
