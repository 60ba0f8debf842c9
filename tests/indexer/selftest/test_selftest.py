"""The command from a folder of photos to the report, with a network that tells mean colours."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from indexer.__main__ import main
from indexer.selftest.results import FEW_IMAGES
from indexer.selftest.transformations import TRANSFORMATIONS
from tests.indexer.conftest import Workplace
from tests.indexer.fake_networks import FakeNetworks
from tests.indexer.pictures import draw, draw_many, draw_texture


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("INDEXER_", "EXTRACTOR_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("INDEXER_WORKERS", "1")


def run(workplace: Workplace, *arguments: str) -> int:
    folders = ["--store", str(workplace.store), "--images", str(workplace.images)]
    return main(["selftest", *folders, *arguments], provide=lambda settings: FakeNetworks())


def run_json(workplace: Workplace, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert run(workplace, "--json", *arguments) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def complaint(workplace: Workplace, capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    assert run(workplace, *arguments) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Eight photos with local features; to be read only, but for the report."""
    root = tmp_path_factory.mktemp("indexed")
    workplace = Workplace(root / "images", root / "store")
    workplace.images.mkdir()
    for seed in range(8):
        draw_texture(workplace.images / f"{seed:02d}.png", seed)
    workplace.build(local_features=True)
    return workplace


def recall(answer: dict[str, Any], name: str) -> tuple[float, float]:
    row = next(row for row in answer["transformations"] if row["name"] == name)
    return row["recall_at_1"], row["recall_at_10"]


def test_it_tells_the_recall_of_each_transformation(
    indexed: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = run_json(indexed, capsys, "--photos", "4", "--seed", "5")
    assert [row["name"] for row in answer["transformations"]] == [each.name for each in TRANSFORMATIONS]
    assert {row["queries"] for row in answer["transformations"]} == {4}
    assert recall(answer, "unchanged") == (1.0, 1.0)
    assert (answer["photos"], answer["left_out"], answer["seed"], answer["index"]["count"]) == (4, [], 5, 8)
    assert answer["index"]["descriptor"] == "fc6"


def test_the_same_seed_gives_the_same_figures(indexed: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    plain = ("--photos", "2", "--no-verify", "--seed")
    answers = [run_json(indexed, capsys, *plain, seed) for seed in ("1", "1", "2")]
    figures = [answer["transformations"] for answer in answers]
    assert figures[0] == figures[1]
    assert figures[0] != figures[2]


def test_verification_finds_what_was_turned(indexed: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    plain, verified = (run_json(indexed, capsys, "--photos", "1", *more) for more in (["--no-verify"], []))
    assert (plain["verify"], verified["verify"]) == (False, None)
    turns = ("turn", "on-side", "rough")
    assert min(recall(plain, name)[0] for name in turns) < 1
    assert [recall(verified, name)[0] for name in turns] == [1, 1, 1]


def test_a_person_reads_a_table(indexed: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(indexed, "--photos", "2") == 0
    said = capsys.readouterr().out
    assert "2 of 8 photos tested against snapshot 000001, fc6 of fake" in said
    assert re.search(r"^unchanged +1\.000 +1\.000  the photo as it is$", said, re.MULTILINE)
    assert f"Report: {indexed.store / 'selftest.html'}" in said
    assert "The index holds 8 photos: finding the right one among so few proves little." in said


def pictures(html: str) -> Iterator[Image.Image]:
    for data in re.findall(r'src="data:image/webp;base64,([^"]+)"', html):
        yield Image.open(io.BytesIO(base64.b64decode(data)))


def test_the_report_shows_failures_and_needs_nothing_beside_it(
    indexed: Workplace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = run_json(indexed, capsys, "--photos", "4", "--no-verify", "--report", str(tmp_path))
    html = (tmp_path / "selftest.html").read_text("utf-8")
    assert answer["report"] == str(tmp_path / "selftest.html")
    missed = sum(round((1 - row["recall_at_1"]) * row["queries"]) > 0 for row in answer["transformations"])
    assert html.count("not found first") == missed > 0
    assert "the original, found" in html
    assert len(list(pictures(html))) >= len(TRANSFORMATIONS) + 3 * missed
    assert not re.search(r'(src|href)="(?!data:)', html)


def test_a_name_that_looks_like_markup_stays_a_name(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(3):
        draw(workplace.images / f"<script>{seed}.png", seed)
    workplace.build()
    run_json(workplace, capsys)
    html = (workplace.store / "selftest.html").read_text("utf-8")
    assert "&lt;script&gt;" in html
    assert "<script" not in html


@pytest.mark.parametrize("count", [1, 3])
def test_a_tiny_collection_is_tested_with_a_word_of_caution(
    workplace: Workplace, capsys: pytest.CaptureFixture[str], count: int
) -> None:
    draw_many(workplace.images, range(count))
    workplace.build()
    assert run(workplace) == 0
    said = capsys.readouterr().out
    assert f"{count} of {count} photos tested" in said
    assert f"The index holds {'one photo' if count == 1 else '3 photos'}" in said
    assert FEW_IMAGES > 3


def test_missing_changed_and_unreadable_originals_are_left_out_and_named(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(("good.png", "gone.png", "changed.png")):
        draw(workplace.images / name, seed)
    workplace.build()
    (workplace.images / "gone.png").unlink()
    draw(workplace.images / "changed.png", 9)
    answer = run_json(workplace, capsys)
    assert answer["photos"] == 1
    assert sorted(each["path"] for each in answer["left_out"]) == ["changed.png", "gone.png"]
    assert run(workplace) == 0
    assert "left out gone.png: The file is gone, cannot be read or is not what was indexed" in (
        capsys.readouterr().out
    )


def test_without_a_single_original_it_says_so(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(workplace.images / "a.png", 1)
    workplace.build()
    (workplace.images / "a.png").unlink()
    said = complaint(workplace, capsys, 1)
    assert "Not one of the 1 photos drawn can be tested. The first is a.png: The file is gone" in said


def test_a_store_without_a_snapshot_is_told(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    workplace.store.mkdir()
    assert "holds no published snapshot; index a folder of photos first" in complaint(workplace, capsys, 1)


def test_an_empty_index_is_told(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    draw(workplace.images / "a.png", 1)
    workplace.build()
    (workplace.images / "a.png").unlink()
    workplace.build(accept_loss=True)
    assert "The index holds no photo, so there is nothing to search for." in complaint(workplace, capsys, 1)


def test_a_missing_images_folder_is_told(workplace: Workplace, capsys: pytest.CaptureFixture[str]) -> None:
    workplace.images.rmdir()
    assert f"There is no folder {workplace.images}" in complaint(workplace, capsys, 1)


def test_verification_without_local_features_is_told(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    assert "This index holds no local features" in complaint(workplace, capsys, 1, "--verify")


def test_a_report_that_cannot_be_written_is_told_before_the_search(
    indexed: Workplace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.selftest.run.search_all", None)
    report = tmp_path / "missing" / "report.html"
    said = complaint(indexed, capsys, 1, "--report", str(report))
    assert f"The report cannot be written to {report}; name another place with --report." in said


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """By a mount for root, who may write wherever a mode forbids it."""
    if os.geteuid() == 0:
        place = str(folder)
        set_up = [["mount", "--bind", place, place], ["mount", "-o", "remount,ro,bind", place]]
        if any(subprocess.run(command, check=False, capture_output=True).returncode for command in set_up):
            pytest.skip("root may not mount here")
        try:
            yield
        finally:
            subprocess.run(["umount", folder], check=True)
    else:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)


def test_a_read_only_store_is_tested_with_the_report_elsewhere(
    workplace: Workplace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_many(workplace.images, range(3))
    workplace.build()
    with read_only(workplace.store):
        said = complaint(workplace, capsys, 1)
        assert "selftest.html; name another place with --report." in said
        assert run(workplace, "--report", str(tmp_path / "report.html")) == 0


def test_a_bad_setting_of_the_service_is_named(
    indexed: Workplace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTRACTOR_VERIFY_CANDIDATES", "0")
    assert "EXTRACTOR_VERIFY_CANDIDATES: " in complaint(indexed, capsys, 2)


def test_an_interrupted_test_says_that_there_is_no_report(
    indexed: Workplace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("indexer.selftest.run.search_all", interrupt)
    assert "Interrupted; there is no report." in complaint(indexed, capsys, 130)
