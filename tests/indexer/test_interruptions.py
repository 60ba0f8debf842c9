"""The indexer as a program, killed, interrupted and starved of disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.store.ledger import Ledger
from indexer.inspection import damage
from indexer.intake import BATCH
from tests.conftest import REPOSITORY
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many

KILLS = 20


def start(workplace: Workplace, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.indexer.fake_networks", "build", "--json", *arguments]
    given = {
        "INDEXER_IMAGES_DIR": str(workplace.images),
        "INDEXER_STORE_DIR": str(workplace.store),
        "INDEXER_WORKERS": "1",
        "INDEXER_LOCAL_FEATURES": "false",
    }
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=os.environ | given | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def described_so_far(workplace: Workplace) -> int:
    ledger = Ledger.open(workplace.layout.ledger_path)
    if ledger is None:
        return 0
    with ledger:
        return ledger.image_count()


def wait_until_described(workplace: Workplace, count: int, process: subprocess.Popen[str]) -> None:
    """Or until it ends."""
    deadline = time.monotonic() + 60
    while described_so_far(workplace) < count and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def content(workplace: Workplace) -> tuple[dict[str, NDArray[np.float16]], dict[str, bytes]]:
    thumbnails = {
        path.name: path.read_bytes() for path in workplace.layout.thumbnails_dir.rglob("*") if path.is_file()
    }
    return workplace.indexed(), thumbnails


def assert_same(one: Workplace, other: Workplace) -> None:
    (descriptors, thumbnails), (other_descriptors, other_thumbnails) = content(one), content(other)
    assert descriptors.keys() == other_descriptors.keys()
    for path, descriptor in descriptors.items():
        np.testing.assert_array_equal(descriptor, other_descriptors[path])
    assert thumbnails == other_thumbnails


def test_killed_at_random_instants_and_run_to_the_end_it_is_as_if_undisturbed(
    workplace: Workplace, tmp_path: Path
) -> None:
    draw_many(workplace.images, range(700))
    for seed in range(3):
        draw(workplace.images / "copies" / f"{seed}.png", seed)
    (workplace.images / "bad.png").write_bytes(b"no picture")
    rng = random.Random(20)
    seen = [0]
    for _ in range(KILLS):
        process = start(workplace, FAKE_BATCH_S="0.1")
        if rng.random() < 0.7:  # else it is killed while it starts, or after another run's last instant
            wait_until_described(workplace, seen[-1] + 1, process)
        time.sleep(rng.uniform(0, 0.3))
        kill(process)
        seen.append(described_so_far(workplace))
    assert seen == sorted(seen), "what has been described is never lost"
    assert len(set(seen)) > KILLS // 3, "most kills found it at work"
    workplace.build()
    undisturbed = Workplace(workplace.images, tmp_path / "undisturbed")
    undisturbed.build()
    assert_same(workplace, undisturbed)
    assert damage(workplace.layout, workplace.networks) == []
    assert not workplace.build().published


def test_killed_while_it_maps_every_photo_has_its_own_map_in_the_end(workplace: Workplace) -> None:
    draw_many(workplace.images, range(4 * BATCH))
    rng = random.Random(21)
    for kills in range(3):
        process = start(workplace, INDEXER_LOCALIZATION="true", FAKE_BATCH_S="0.2")
        wait_until_described(workplace, (kills + 1) * BATCH, process)
        time.sleep(rng.uniform(0, 0.2))
        kill(process)
    workplace.build(localization=True)
    undisturbed = Workplace(workplace.images, workplace.store.with_name("undisturbed"))
    undisturbed.build(localization=True)
    maps = undisturbed.conv_maps()
    assert workplace.conv_maps().keys() == maps.keys()
    for path, codes in workplace.conv_maps().items():
        np.testing.assert_array_equal(codes, maps[path])
    assert damage(workplace.layout, workplace.networks) == []


def test_a_kill_costs_the_batch_in_hand_at_most(workplace: Workplace) -> None:
    draw_many(workplace.images, range(5 * BATCH))
    process = start(workplace, FAKE_BATCH_S="0.5")
    wait_until_described(workplace, 2 * BATCH, process)
    kill(process)
    before = described_so_far(workplace)
    assert before >= 2 * BATCH
    assert workplace.build().described == 5 * BATCH - before


@pytest.mark.parametrize(
    "function",
    [
        "indexer.intake:write_thumbnail",
        "indexer.publication:publish",
        "imagesearch.store.snapshot_writer:link_segments",
        "imagesearch.store.snapshot_writer:write_segment",
        "imagesearch.store.snapshot_writer:sync_directory",
        "imagesearch.store.versions:sync_directory",
        "imagesearch.store.versions:replace_file",
        "indexer.publication:remove_thumbnails",
        "indexer.publication:Ledger.mark_published",
    ],
)
def test_killed_at_any_step_the_live_snapshot_is_whole_and_the_next_run_completes_it(
    workplace: Workplace, tmp_path: Path, function: str
) -> None:
    """While two changes are added to twelve images, which is few enough not to write all anew."""
    draw_many(workplace.images, range(12))
    workplace.build()
    draw(workplace.images / "new.png", 100)
    (workplace.images / "0/0000.png").unlink()
    code, _, _ = finish(start(workplace, KILL_BEFORE=function))
    assert code == -signal.SIGKILL
    names = workplace.indexed().keys()
    assert ("new.png" in names) == ("0/0000.png" not in names)
    workplace.build()
    undisturbed = Workplace(workplace.images, tmp_path / "undisturbed")
    undisturbed.build()
    assert_same(workplace, undisturbed)
    assert damage(workplace.layout, workplace.networks) == []
    assert list(workplace.layout.snapshots_dir.glob(".*")) == []


@pytest.mark.parametrize(
    "function",
    [
        "indexer.build:install_ledger",
        "imagesearch.store.ledger_file:sync_directory",
        "indexer.publication:publish",
    ],
)
def test_a_rebuild_killed_at_its_end_is_completed(workplace: Workplace, function: str) -> None:
    draw_many(workplace.images, range(8))
    workplace.build()
    code, _, _ = finish(start(workplace, "--rebuild", INDEXER_MODEL="other", KILL_BEFORE=function))
    assert code == -signal.SIGKILL
    before = workplace.indexed()
    assert workplace.build(rebuild=True, model="other").model == "other"
    assert damage(workplace.layout, workplace.networks) == []
    after = workplace.indexed()
    assert after.keys() == before.keys()
    for path, descriptor in after.items():
        np.testing.assert_array_equal(descriptor, before[path][::-1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_soon_with_130_and_says_how_to_go_on(
    workplace: Workplace, number: signal.Signals
) -> None:
    draw_many(workplace.images, range(5 * BATCH))
    process = start(workplace, FAKE_BATCH_S="0.3")
    wait_until_described(workplace, BATCH, process)
    process.send_signal(number)
    process.send_signal(number)
    code, out, err = finish(process)
    assert (code, out) == (130, "")
    assert err.splitlines()[-1].startswith("indexer: Interrupted.") and "goes on" in err
    assert "Traceback" not in err
    kept = described_so_far(workplace)
    assert BATCH <= kept < 5 * BATCH
    assert workplace.build().described == 5 * BATCH - kept


def test_killing_it_leaves_no_process_behind(workplace: Workplace) -> None:
    draw_many(workplace.images, range(5 * BATCH))
    process = start(workplace, FAKE_BATCH_S="0.5")
    wait_until_described(workplace, BATCH, process)
    children = descendants(process.pid)
    assert children
    kill(process)
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline, "worker processes outlive the indexer"
        time.sleep(0.05)


def descendants(pid: int) -> set[int]:
    children = {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    return children.union(*(descendants(child) for child in children))
