"""From a folder with a ground-truth file to the table, through the real indexer and engine."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import report
from benchmarks.quality import learnt_elsewhere, stores
from benchmarks.quality.__main__ import main
from benchmarks.quality.configurations import PLAIN, VERIFIED
from benchmarks.quality.photo_sets import PhotoSet, own_set
from benchmarks.quality.searching import indexed, ranked, searching, whole_ranking
from benchmarks.retrieval import average_precision, relevant_ranks
from extractor_service.search.queries import StoredQuery
from imagesearch.store.layout import StoreLayout
from imagesearch.store.snapshot import Snapshot
from tests.indexer.pictures import draw_texture


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Stores and results of these tests, built once."""
    folder = tmp_path_factory.mktemp("quality")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "STORES_DIR", folder / "stores")
        patch.setattr(report, "RESULTS_DIR", folder / "results")
        patch.delenv("EVAL_PHOTOS", raising=False)
        yield folder


def photo_folder(folder: Path) -> Path:
    """Six photos, one of them under two names, and two lines of ground truth. Returns that file."""
    (folder / "more").mkdir(parents=True)
    for seed in range(6):
        draw_texture(folder / f"{seed}.png", seed)
    shutil.copy(folder / "0.png", folder / "more" / "twin.png")
    (folder / "truth.tsv").write_text("0.png\tmore/twin.png\n1.png\t2.png\t3.png\n")
    return folder / "truth.tsv"


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be read only."""
    return photo_folder(tmp_path_factory.mktemp("truth") / "photos")


SETTINGS = {"descriptor": "auto", "model": "efficientnet-lite0", "local_features": "true"}


def test_a_folder_with_a_ground_truth_file_is_measured(
    truth: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--truth", str(truth), "--only", "embedding"]) == 0
    said = capsys.readouterr().out
    assert "photos: embedding + verify of efficientnet-lite0: mAP" in said
    assert "| descriptor | network | search | photos mAP |" in said
    rows = json.loads((elsewhere / "results" / "quality.json").read_text())["rows"]
    assert [row["search"] for row in rows] == ["", "expand", "verify", "verify, expand"]
    assert all(row["queries"] == 2 and row["mAP"] >= 0.5 for row in rows)


def test_rankings_are_those_of_a_plain_comparison_of_descriptors(truth: Path) -> None:
    photos = own_set(truth)
    store = stores.built_store(photos, SETTINGS, fresh=False)

    async def answered() -> dict[str, list[str]]:
        async with searching(store) as core:
            return (await ranked(core, photos, PLAIN)).rankings

    rankings = asyncio.run(answered())
    with Snapshot.open(StoreLayout(store)) as snapshot:
        rows = snapshot.descriptors.order
        records = snapshot.records(rows.tolist())
        matrix = snapshot.descriptors[rows].astype(np.float32)
    for query, relevant in photos.truth.relevant.items():
        own = next(row for row, record in enumerate(records) if query in record.paths)
        nearest = np.argsort(np.linalg.norm(matrix - matrix[own], axis=1), kind="stable")
        literal = [path for row in nearest for path in records[row].paths]
        assert rankings[query] == literal
        ranks = relevant_ranks(literal, query, relevant)
        assert average_precision(ranks, len(relevant)) > 0


def test_verification_is_asked_of_the_engine(truth: Path) -> None:
    photos = own_set(truth)
    store = stores.built_store(photos, SETTINGS, fresh=False)

    async def time_spent() -> list[float]:
        async with searching(store) as core:
            query = StoredQuery(indexed(core, photos)["1.png"].image_id)
            answers = [await core.engine.search(query, whole_ranking(7, each)) for each in (PLAIN, VERIFIED)]
            return [answer.timings.verify_ms for answer in answers]

    plain_ms, verified_ms = asyncio.run(time_spent())
    assert plain_ms == 0 < verified_ms


def test_what_is_learnt_of_other_photos_comes_from_their_store(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, others = own_set(photo_folder(tmp_path / "searched")), own_set(photo_folder(tmp_path / "others"))
    draw_texture(others.folder / "0.png", 99)
    monkeypatch.setattr(learnt_elsewhere, "LEARNING", ("vlad",))
    [_, _, line] = learnt_elsewhere.learnt_elsewhere_table(photos, others, "efficientnet-lite0").splitlines()
    name, *figures = line.strip("| ").split(" | ")
    assert name == "vlad" and all(0.4 < float(figure) <= 1 for figure in figures) and len(figures) == 2

    def learnt(photos: PhotoSet) -> set[bytes]:
        snapshots = (elsewhere / "stores" / photos.name).glob("*/snapshots/*/encoding.npz")
        return {np.load(path)["words"].tobytes() for path in snapshots}

    assert learnt(others) < learnt(photos)


def test_a_bad_line_ends_it_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = photo_folder(tmp_path / "photos")
    truth.write_text("0.png\tmore/twin.png\n1.png\tgone.png\n")
    assert main(["--truth", str(truth)]) == 1
    assert capsys.readouterr().err == (
        "benchmarks.quality: Line 2 of truth.tsv names gone.png, which is not a photo of the folder.\n"
    )


def test_a_query_that_cannot_be_indexed_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = photo_folder(tmp_path / "photos")
    (truth.parent / "1.png").write_bytes(b"no picture")
    assert main(["--truth", str(truth), "--only", "embedding"]) == 1
    assert "1.png is a query, but it could not be indexed" in capsys.readouterr().err


def test_photos_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    assert "Name the evaluation photos with --photos or EVAL_PHOTOS" in capsys.readouterr().err
