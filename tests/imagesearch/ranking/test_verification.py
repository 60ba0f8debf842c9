from __future__ import annotations

import cmath
import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.local_features import LocalFeatures, RootSift
from imagesearch.ranking.verification import (
    MAX_LOG2_SCALE_OFF,
    MAX_MATCHES,
    MAX_SCALE_CHANGE,
    MAX_TURN_OFF,
    MIN_COSINE,
    MIN_INLIERS,
    TOLERANCE_PX,
    Similarities,
    agreeing,
    tentative_matches,
    verify,
)


def textured(seed: int, height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.random((height // s, width // s, 3), np.float32), (width, height)) for s in (4, 8)
    ]
    return np.asarray(sum(layers) / 2 * 255, np.uint8)


def features(rgb: NDArray[np.uint8]) -> LocalFeatures:
    return RootSift(max_features=500).extract(np.ascontiguousarray(rgb))


def unit_rows(rng: np.random.Generator, count: int, dim: int) -> NDArray[np.float32]:
    vectors = rng.random((count, dim)).astype(np.float32)
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def mutual_matches_literally(
    query: NDArray[np.float32], candidate: NDArray[np.float32]
) -> set[tuple[int, int]]:
    found = set()
    for i, a in enumerate(query):
        j = max(range(len(candidate)), key=lambda j: float(a @ candidate[j]))
        back = max(range(len(query)), key=lambda i: float(query[i] @ candidate[j]))
        if back == i and float(a @ candidate[j]) >= MIN_COSINE:
            found.add((i, j))
    return found


def test_tentative_matches_are_mutual_nearest_neighbours() -> None:
    rng = np.random.default_rng(2)
    query, candidate = unit_rows(rng, 40, 8), unit_rows(rng, 30, 8)
    matches = tentative_matches(query, candidate)
    assert {(int(i), int(j)) for i, j in matches} == mutual_matches_literally(query, candidate)
    cosines = np.einsum("ij,ij->i", query[matches[:, 0]], candidate[matches[:, 1]])
    assert (np.diff(cosines) <= 1e-6).all()


def test_only_so_many_matches_are_kept() -> None:
    vectors = unit_rows(np.random.default_rng(3), 400, 128)
    assert len(tentative_matches(vectors, vectors)) == MAX_MATCHES


def agreeing_literally(
    scales: list[float], turns: list[float], before: list[complex], after: list[complex]
) -> list[bool]:
    """Each match proposes the similarity through it; the others are held against it one by one."""
    best: list[bool] = [False] * len(scales)
    for i, (scale, turn) in enumerate(zip(scales, turns, strict=True)):
        if not 1 / MAX_SCALE_CHANGE <= scale <= MAX_SCALE_CHANGE:
            continue
        agree = []
        for j in range(len(scales)):
            there = after[i] + cmath.rect(scale, turn) * (before[j] - before[i])
            turn_off = abs(cmath.phase(cmath.rect(1, turn - turns[j])))
            agree.append(
                abs(there - after[j]) <= 2 * TOLERANCE_PX * max(1, scale)
                and abs(math.log2(scale / scales[j])) <= MAX_LOG2_SCALE_OFF
                and turn_off <= MAX_TURN_OFF
            )
        if sum(agree) > sum(best):
            best = agree
    return best


def test_the_agreeing_matches_are_those_of_the_literal_loop() -> None:
    rng = np.random.default_rng(4)
    before = rng.uniform(0, 300, 60) + 1j * rng.uniform(0, 200, 60)
    after = 20 + 5j + cmath.rect(1.5, 0.4) * before + rng.normal(0, 2, 60)
    scales, turns = rng.normal(1.5, 0.1, 60), rng.normal(0.4, 0.05, 60)
    wrong = slice(0, 40)
    after[wrong] = rng.uniform(0, 300, 40) + 1j * rng.uniform(0, 200, 40)
    scales[wrong], turns[wrong] = rng.uniform(0.1, 8, 40), rng.uniform(-4, 4, 40)
    found = agreeing(
        Similarities(scales.astype(np.float32), turns.astype(np.float32)),
        np.column_stack((before.real, before.imag)).astype(np.float32),
        np.column_stack((after.real, after.imag)).astype(np.float32),
    )
    assert found.tolist() == agreeing_literally(list(scales), list(turns), list(before), list(after))
    assert found[40:].sum() > 15


@pytest.mark.parametrize("seed", range(3))
def test_a_turned_shrunken_and_shifted_picture_is_located(seed: int) -> None:
    picture = textured(seed)
    affinity = cv2.getRotationMatrix2D((160, 120), 35, 0.7) + np.array([[0, 0, 12], [0, 0, -8]])
    match = verify(features(picture), features(cv2.warpAffine(picture, affinity, (320, 240))))
    assert match is not None and match.inliers >= 30
    corners = np.array([[0, 0], [320, 0], [320, 240], [0, 240]])
    expected = (corners @ affinity[:, :2].T + affinity[:, 2]) / (320, 240)
    np.testing.assert_allclose(match.quadrilateral, expected, atol=0.01)
    moved = (match.query_points * (320, 240)) @ affinity[:, :2].T + affinity[:, 2]
    np.testing.assert_allclose(match.candidate_points * (320, 240), moved, atol=TOLERANCE_PX + 1)


def test_half_of_a_picture_on_its_side_is_found_in_the_whole() -> None:
    picture = textured(5)
    match = verify(features(np.rot90(picture[:, :160])), features(picture))
    assert match is not None and match.inliers >= 30
    # Turned counter-clockwise, the top left corner of the crop is what was the top right one of the half.
    corners = np.array([[0.5, 0], [0.5, 1], [0, 1], [0, 0]])
    np.testing.assert_allclose(match.quadrilateral, corners, atol=0.02)


def test_different_pictures_hardly_match() -> None:
    matches = [verify(features(textured(seed)), features(textured(seed + 10))) for seed in range(3)]
    assert all(match is None or match.inliers < 3 * MIN_INLIERS for match in matches)


@pytest.mark.parametrize("shape", [(240, 320, 3), (20, 20, 3)])
def test_a_picture_without_texture_matches_nothing(shape: tuple[int, int, int]) -> None:
    black = features(np.zeros(shape, np.uint8))
    picture = features(textured(6))
    assert verify(black, picture) is None
    assert verify(picture, black) is None
    assert verify(black, black) is None


def test_the_same_answer_twice() -> None:
    first, second = (verify(features(textured(7)), features(textured(7)[:, 100:])) for _ in range(2))
    assert first is not None and second is not None
    np.testing.assert_array_equal(first.quadrilateral, second.quadrilateral)
