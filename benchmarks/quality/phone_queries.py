"""A photo taken by phone against clean pictures: covers, posters, paintings, labels.

The reference stands tilted and small among other things; the camera is soft and noisy, its light uneven, and
something covers a part. Homographies make such photos, of which the right answer is known.
"""

from __future__ import annotations

import asyncio
import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.quality.searching import searching
from benchmarks.quality.stores import STORES_DIR, built_store
from extractor_service.search.queries import FileQuery, SearchOptions
from indexer.selftest.transformations import Pixels

REFERENCES = 100
OTHERS = 1_000
MOST_SHOTS = 20
"""Of one scene, in the order of names."""
PHOTO_SIZE = (800, 600)


@dataclass(frozen=True, slots=True)
class Strength:
    """How hard a phone's photo is."""

    name: str
    width: float
    """Of the reference, as a share of the photo's."""
    tilt_degrees: float
    """At most, about each axis; a phone's field of view is 60 degrees."""
    blur_px: float
    noise: float
    """Standard deviation, of 255."""
    covered: float
    """Share of the reference's area."""
    jpeg: int


STRENGTHS = (
    Strength("easy", 0.6, 15, 0.6, 3, 0.0, 85),
    Strength("middling", 0.45, 30, 1.2, 6, 0.1, 70),
    Strength("hard", 0.33, 45, 1.8, 10, 0.2, 55),
)


def phone_table(holidays: PhotoSet, corel: PhotoSet, model: str) -> str:
    """Markdown, one line a strength: recall of REFERENCES references among OTHERS other photos."""
    references, others, background = _parted(holidays, corel)
    folder = STORES_DIR / "phone" / "photos"
    _copy([*references, *others], folder)
    settings = {"descriptor": "auto", "model": model, "local_features": "true"}
    store_dir = built_store(PhotoSet("phone", folder, corel.truth), settings, fresh=False)
    lines = ["| strength | recall@1 | recall@10 | recall@1 without verification |", "| --- " * 4 + "|"]
    for strength in STRENGTHS:
        queries = list(phone_photos(references, background, strength))
        ranks = asyncio.run(_ranks(store_dir, references, queries, verify=None))
        unverified = asyncio.run(_ranks(store_dir, references, queries, verify=False))
        figures = " | ".join(f"{share:.2f}" for share in ((ranks < 1).mean(), (ranks < 10).mean()))
        lines.append(f"| {strength.name} | {figures} | {(unverified < 1).mean():.2f} |")
    return "\n".join(lines) + "\n"


def _parted(holidays: PhotoSet, corel: PhotoSet) -> tuple[list[Path], list[Path], list[Path]]:
    """References, other photos of the collection, and photos outside it that stand around a reference: of
    another set than the references, for both sets hold several shots of one scene."""
    photos = [corel.folder / name for name in sorted(corel.truth.photos)]
    references = photos[:: len(photos) // REFERENCES][:REFERENCES]
    rest = [photo for photo in photos if photo not in references]
    scenes = [holidays.folder / name for name in sorted(holidays.truth.photos)]
    needed = max(0, OTHERS - len(rest))
    return references, [*rest[:OTHERS], *scenes[:needed]], scenes[needed + MOST_SHOTS :]


def _copy(photos: Sequence[Path], folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True)
    for photo in photos:
        shutil.copy(photo, folder / photo.name)


async def _ranks(
    store_dir: Path, references: Sequence[Path], queries: Sequence[bytes], verify: bool | None
) -> NDArray[np.int64]:
    """Of each query the place of its reference among the first 10 results; 10 where it is not there."""
    ranks = []
    async with searching(store_dir) as core:
        for reference, query in zip(references, queries, strict=True):
            answer = await core.engine.search(FileQuery(query), SearchOptions(limit=10, verify=verify))
            paths = [hit.record.paths for hit in answer.hits]
            ranks.append(next((rank for rank, found in enumerate(paths) if reference.name in found), 10))
    return np.array(ranks)


def phone_photos(
    references: Sequence[Path], background: Sequence[Path], strength: Strength
) -> Iterator[bytes]:
    """Of each reference a JPEG file; the same each time."""
    for place, reference in enumerate(references):
        rng = np.random.default_rng(place)
        scene = _scene([_rgb(background[number]) for number in rng.choice(len(background), 6, replace=False)])
        photo = _photographed(_rgb(reference), scene, strength, rng)
        buffer = io.BytesIO()
        Image.fromarray(photo).save(buffer, "JPEG", quality=strength.jpeg)
        yield buffer.getvalue()


def _rgb(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"))


def _scene(photos: Sequence[Pixels]) -> Pixels:
    """Other things: six photos, two by three."""
    width, height = PHOTO_SIZE
    tiles = [cv2.resize(photo, (width // 2, height // 3)) for photo in photos]
    return np.concatenate([np.concatenate(tiles[row : row + 2], axis=1) for row in (0, 2, 4)])


def _photographed(reference: Pixels, scene: Pixels, strength: Strength, rng: np.random.Generator) -> Pixels:
    homography = _homography(reference, strength, rng)
    covered = _covered(reference, scene, strength.covered, rng)
    shown = cv2.warpPerspective(covered, homography, PHOTO_SIZE, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.ones(reference.shape[:2], np.float32), homography, PHOTO_SIZE)[..., None]
    photo = scene * (1 - mask) + shown * mask
    return _through_lens(photo, strength, rng)


def _homography(reference: Pixels, strength: Strength, rng: np.random.Generator) -> NDArray[np.float64]:
    """Of the reference turned about all three axes before a camera, somewhere in the photo."""
    height, width = reference.shape[:2]
    x, y, z = np.radians(rng.uniform(-strength.tilt_degrees, strength.tilt_degrees, 3))
    turn, _ = cv2.Rodrigues(np.array([x, 0, 0]))
    turn = cv2.Rodrigues(np.array([0, y, 0]))[0] @ turn
    turn = cv2.Rodrigues(np.array([0, 0, z / 2]))[0] @ turn
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    flat = np.c_[(corners - (width / 2, height / 2)) / width, np.zeros(4)] @ turn.T
    focal = 1 / (2 * np.tan(np.radians(30)))
    seen = flat[:, :2] / (1 + flat[:, 2:] * strength.width / focal) * strength.width * PHOTO_SIZE[0]
    room = np.array(PHOTO_SIZE) - np.ptp(seen, axis=0)
    origin = rng.uniform(0, 1, 2) * np.maximum(room, 0) - seen.min(axis=0)
    return np.asarray(cv2.getPerspectiveTransform(corners, (seen + origin).astype(np.float32)))


def _covered(reference: Pixels, scene: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """By a rectangle of the scene, as of a hand or a sticker."""
    height, width = reference.shape[:2]
    rows, columns = round(height * share**0.5), round(width * share**0.5)
    top, left = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    covered = reference.copy()
    covered[top : top + rows, left : left + columns] = scene[:rows, :columns]
    return covered


def _through_lens(photo: NDArray[np.float32], strength: Strength, rng: np.random.Generator) -> Pixels:
    """Softness, light that falls off to one side, and noise."""
    soft = cv2.GaussianBlur(photo, (0, 0), strength.blur_px)
    light = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.8, 1.2), PHOTO_SIZE[0])[:, None]
    noisy = soft * light + rng.normal(0, strength.noise, soft.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)
