from __future__ import annotations

from pathlib import Path

from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.retrieval import GroundTruth


def test_a_quick_set_keeps_all_photos_and_draws_its_queries_evenly() -> None:
    names = tuple(f"{number:02d}.jpg" for number in range(10))
    relevant = {name: frozenset({names[-1]}) for name in names[:9]}
    photos = PhotoSet("own", Path(), GroundTruth(names, relevant)).first(3)
    assert photos.truth.photos == names
    assert list(photos.truth.relevant) == ["00.jpg", "03.jpg", "06.jpg"]


def test_a_quick_set_of_few_queries_keeps_them() -> None:
    truth = GroundTruth(("a.jpg", "b.jpg"), {"a.jpg": frozenset({"b.jpg"})})
    assert PhotoSet("own", Path(), truth).first(50).truth == truth
