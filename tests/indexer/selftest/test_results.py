from __future__ import annotations

from indexer.selftest.results import RANKS_TOLD, WORST_SHOWN, Outcome, recall_at, worst


def outcome(rank: int | None, image_id: str = "a") -> Outcome:
    return Outcome("blur", image_id, f"{image_id}.jpg", rank, "b", "b.jpg")


def test_recall_counts_what_is_among_the_first() -> None:
    outcomes = [outcome(1), outcome(10), outcome(11), outcome(None)]
    assert recall_at(1, outcomes) == 0.25
    assert recall_at(10, outcomes) == 0.5
    assert recall_at(RANKS_TOLD, outcomes) == 0.75
    assert recall_at(10, []) == 0


def test_the_worst_are_those_that_ended_furthest_back() -> None:
    outcomes = [outcome(2, "a"), outcome(1, "b"), outcome(None, "c"), outcome(100, "d")]
    assert [each.image_id for each in worst(outcomes)] == ["c", "d", "a"]
    assert len(worst([outcome(None)] * 10)) == WORST_SHOWN
