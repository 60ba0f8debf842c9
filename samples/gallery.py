"""The gallery: every kind, instance and view, drawn into a folder with its ground truth.

DIR/<kind>/<kind>-<instance>-<view>.jpg, instances and views from 1, and DIR/ground-truth.json:

    {"version": "2", "about": "...",
     "pictures": [{"file": "fruit/fruit-1-2.jpg", "kind": "fruit", "instance": 1, "view": 2,
                   "scene_size": [960, 720], "size": [640, 480], "zoom": 0.71, "middle": [471.8, 377.2],
                   "turn_degrees": -2.4, "mirrored": false, "exposure_stops": 0.12, "warmth": -0.2,
                   "blur_px": 0.0, "noise": 1.4, "jpeg_quality": 95,
                   "scene_from_view": [[1.06, -0.04, 140.2], [0.04, 1.06, 120.9]]}, ...]}

Pictures of the same kind and instance show the same scene: `scene_from_view` maps pixels of the picture to
pixels of the scene, so two views also give the exact geometry between them. The other fields are explained
in `samples.views.View`.

The same version drawn twice on one machine gives the same bytes. Another processor or another version of
numpy or Pillow may round a few pixels differently.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import zlib
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import numpy as np

from samples.canvas import Size, to_image
from samples.console import Progress
from samples.errors import FolderTaken
from samples.scenes import KINDS
from samples.staging import alone, staged
from samples.views import VIEWS, plan, take

VERSION = "2"
"""Raise it with every change to what is drawn: folders of another version are replaced."""
SEED = 1
GROUND_TRUTH = "ground-truth.json"
ABOUT = "What each picture shows and what was done to it; the fields are explained in samples/gallery.py."
SCENE_SIZES: tuple[Size, ...] = ((960, 720), (960, 720), (720, 960), (960, 720), (832, 832))
MAX_WORKERS = 8


def draw_gallery(out: Path, progress: Progress = lambda done, total: None) -> bool:
    """Draws the gallery into `out`, whole or not at all; False if this version is there already.

    Progress is in pictures. Raises FolderTaken if `out` holds anything but an earlier gallery, OSError if it
    cannot be written.
    """
    with alone(out):
        if drawn_version(out) == VERSION:
            return False
        _check_ours(out)
        with staged(out) as folder:
            records = _draw_all(folder, progress)
            truth = {"version": VERSION, "about": ABOUT, "pictures": records}
            (folder / GROUND_TRUTH).write_text(json.dumps(truth, indent=1) + "\n")
    return True


def drawn_version(out: Path) -> str | None:
    """Version of the gallery in the folder, None if there is none."""
    truth = _ground_truth(out)
    return None if truth is None else str(truth["version"])


def draw_instance(kind: str, instance: int, folder: Path) -> list[dict[str, Any]]:
    """Draws one scene and saves its views; returns their part of the ground truth. Counts from 1."""
    size = SCENE_SIZES[(instance - 1) % len(SCENE_SIZES)]
    scene = to_image(KINDS[kind].draw(instance - 1, _rng(kind, instance), size))
    records = []
    for number in range(VIEWS):
        rng = _rng(kind, instance, number + 1)
        view = plan(rng, number, size)
        file = Path(kind, f"{kind}-{instance}-{number + 1}.jpg")
        (folder / file).write_bytes(take(scene, view, rng))
        identity = {"file": file.as_posix(), "kind": kind, "instance": instance, "view": number + 1}
        records.append({**identity, "scene_size": size, **asdict(view)})
    return records


def _draw_all(folder: Path, progress: Progress) -> list[dict[str, Any]]:
    scenes = [(kind, 1 + n) for kind, it in KINDS.items() for n in range(it.instances)]
    for kind in KINDS:
        (folder / kind).mkdir()
    progress(0, len(scenes) * VIEWS)
    records: list[dict[str, Any]] = []
    pool = ProcessPoolExecutor(_workers(), multiprocessing.get_context("spawn"), _leave_with_parent)
    try:
        for done in as_completed([pool.submit(draw_instance, *scene, folder) for scene in scenes]):
            records += done.result()
            progress(len(records), len(scenes) * VIEWS)
    finally:
        pool.shutdown(cancel_futures=True)
    return sorted(records, key=lambda record: (record["kind"], record["instance"], record["view"]))


def _rng(kind: str, *numbers: int) -> np.random.Generator:
    return np.random.default_rng([SEED, zlib.crc32(kind.encode()), *numbers])


def _workers() -> int:
    return min(MAX_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)


def _leave_with_parent() -> None:
    """In a worker: leaves Ctrl-C to the parent, and ends when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _check_ours(out: Path) -> None:
    """A gallery of another version may be replaced, unless somebody has put other files into it."""
    if not out.exists():
        return
    if not out.is_dir():
        raise FolderTaken(f"{out} is a file; choose a folder.")
    truth = _ground_truth(out) or {"pictures": []}
    ours = {GROUND_TRUTH, *(picture["file"] for picture in truth["pictures"])}
    for path in out.rglob("*"):
        if path.is_file() and path.relative_to(out).as_posix() not in ours:
            raise FolderTaken(f"{out} holds files that are not of the gallery; choose another folder.")


def _ground_truth(out: Path) -> dict[str, Any] | None:
    try:
        truth = json.loads((out / GROUND_TRUTH).read_text())
    except (OSError, ValueError):
        return None
    return truth if isinstance(truth, dict) and {"version", "pictures"} <= truth.keys() else None
