from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.retrieval import (
    GroundTruth,
    GroundTruthError,
    average_precision,
    evaluate,
    load_corel1k,
    load_ground_truth,
    load_holidays,
    precision_at,
    relevant_ranks,
)


def test_a_perfect_ranking_has_average_precision_one() -> None:
    assert average_precision([0, 1, 2], 3) == 1.0


def test_average_precision_takes_the_mean_of_precision_before_and_after_each_hit() -> None:
    # Hits at ranks 0 and 2: (1 + 1) / 2, then (1/2 + 2/3) / 2, each worth half the recall.
    assert average_precision([0, 2], 2) == pytest.approx((1 + 7 / 12) / 2)


def test_a_single_hit_in_second_place_counts_a_quarter() -> None:
    assert average_precision([1], 1) == pytest.approx((0 / 1 + 1 / 2) / 2)


def test_relevant_photos_that_were_not_returned_lower_the_average_precision() -> None:
    assert average_precision([0], 4) == pytest.approx(0.25)


def test_precision_at_ten_divides_by_ten_however_short_the_ranking() -> None:
    assert precision_at(10, [0, 3, 9, 10]) == pytest.approx(0.3)


def test_the_query_is_left_out_before_ranks_are_counted() -> None:
    assert relevant_ranks(["x", "q", "a", "b"], "q", frozenset({"a", "b"})) == [1, 2]


def test_quality_is_the_mean_over_the_queries() -> None:
    truth = GroundTruth(("a", "b", "c"), {"a": frozenset({"b"}), "b": frozenset({"a"})})
    quality = evaluate(truth, {"a": ["a", "b", "c"], "b": ["c", "a"]})
    assert quality.mean_average_precision == pytest.approx((1.0 + 0.25) / 2)
    assert quality.precision_at_10 == pytest.approx(0.1)
    assert quality.queries == 2


def photos(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_holidays_groups_by_hundreds_and_prefers_the_jpg(tmp_path: Path) -> None:
    truth = load_holidays(photos(tmp_path, "100.png", "100.jpg", "101.jpg", "200.png", "201.jpg", "a.md"))
    assert truth.photos == ("100.jpg", "101.jpg", "200.png", "201.jpg")
    assert truth.relevant == {"100.jpg": frozenset({"101.jpg"}), "200.png": frozenset({"201.jpg"})}


def test_every_photo_of_corel_is_a_query_for_its_class(tmp_path: Path) -> None:
    truth = load_corel1k(photos(tmp_path, "0.jpg", "99.jpg", "100.jpg", "101.jpg"))
    assert truth.relevant["99.jpg"] == frozenset({"0.jpg"})
    assert truth.relevant["100.jpg"] == frozenset({"101.jpg"})


def test_the_evaluation_photos_have_three_hundred_queries(holidays_dir: Path) -> None:
    truth = load_holidays(holidays_dir)
    assert (len(truth.photos), len(truth.relevant)) == (811, 300)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError, match="no numbered photos"):
        load_holidays(tmp_path)


def test_a_ground_truth_file_names_queries_and_their_answers(tmp_path: Path) -> None:
    photos(tmp_path, "a.jpg", "b/c.jpg", "d.png")
    (tmp_path / "truth.tsv").write_text("# comment\n\na.jpg\tb/c.jpg\ta.jpg\n")
    truth = load_ground_truth(tmp_path / "truth.tsv")
    assert truth == GroundTruth(("a.jpg", "b/c.jpg", "d.png"), {"a.jpg": frozenset({"b/c.jpg"})})


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a.jpg\n", "Line 1 of truth.tsv names no relevant photo"),
        ("# x\na.jpg\tz.jpg\n", "Line 2 of truth.tsv names z.jpg"),
        ("\td.png\n", "names nothing"),
        ("a.jpg\td.png\na.jpg\td.png\n", "Line 2 of truth.tsv repeats"),
        ("", "names no query"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    photos(tmp_path, "a.jpg", "d.png")
    (tmp_path / "truth.tsv").write_text(text)
    with pytest.raises(GroundTruthError, match=complaint):
        load_ground_truth(tmp_path / "truth.tsv")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_an_unreadable_ground_truth_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "truth.tsv").write_bytes(content)
    with pytest.raises(GroundTruthError, match="cannot be read"):
        load_ground_truth(tmp_path / "truth.tsv")
