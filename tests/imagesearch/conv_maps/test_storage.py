from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.conv_maps.storage import LEVELS, ConvMapTable, SegmentedMaps, from_bytes, to_bytes
from imagesearch.errors import SnapshotDamaged


def some_map(seed: int = 0, height: int = 14, width: int = 20, channels: int = 32) -> NDArray[np.float32]:
    """Half of it zero, as after a ReLU."""
    drawn = np.random.default_rng(seed).standard_normal((height, width, channels))
    return np.maximum(drawn, 0).astype(np.float32)


def table(*blobs: bytes) -> ConvMapTable:
    starts = np.cumsum([0, *map(len, blobs)])
    return ConvMapTable(np.frombuffer(b"".join(blobs), np.uint8), starts)


@pytest.mark.parametrize("size", [(14, 20, 32), (1, 1, 3), (2, 20, 512)])
def test_a_map_comes_back_within_half_a_level(size: tuple[int, int, int]) -> None:
    original = some_map(1, *size)
    codes = from_bytes(to_bytes(original))
    assert codes.shape == size and codes.dtype == np.uint8 and codes.flags.c_contiguous
    np.testing.assert_allclose(codes / LEVELS, original / original.max(), atol=0.5 / LEVELS + 1e-6)


def test_its_maxima_keep_their_direction() -> None:
    original = some_map()
    exact = original.max(axis=(0, 1))
    kept = from_bytes(to_bytes(original)).max(axis=(0, 1)).astype(np.float32)
    assert exact @ kept / np.linalg.norm(exact) / np.linalg.norm(kept) > 0.999


def test_an_all_zero_map_stays_all_zero() -> None:
    assert not from_bytes(to_bytes(np.zeros((3, 4, 5), np.float32))).any()


def test_it_takes_at_most_two_thirds_of_a_byte_a_value() -> None:
    original = some_map()
    assert len(to_bytes(original)) < 0.67 * original.size


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\x01\x00",
        to_bytes(some_map())[:-1],
        struct.pack("<HHH", 3, 3, 3) + zlib.compress(bytes(26)),
        struct.pack("<HHH", 3, 3, 3) + b"no deflated bytes",
    ],
    ids=["empty", "cut in the shape", "cut in the codes", "another shape", "not deflated"],
)
def test_a_damaged_blob_is_recognised(blob: bytes) -> None:
    with pytest.raises(SnapshotDamaged):
        from_bytes(blob)


def test_each_row_has_its_map_across_segments() -> None:
    maps = [some_map(seed, height=seed + 1) for seed in range(5)]
    blobs = [to_bytes(each) for each in maps]
    segmented = SegmentedMaps([table(*blobs[:3]), table(), table(*blobs[3:])])
    assert len(segmented) == 5
    for row, blob in enumerate(blobs):
        np.testing.assert_array_equal(segmented.codes(row), from_bytes(blob))


def test_arrays_that_disagree_are_refused() -> None:
    whole = table(to_bytes(some_map()))
    with pytest.raises(SnapshotDamaged):
        ConvMapTable(whole.blobs[:-1], whole.starts)
    with pytest.raises(SnapshotDamaged):
        ConvMapTable(whole.blobs, whole.starts[1:])
    with pytest.raises(SnapshotDamaged):
        ConvMapTable(whole.blobs, np.empty(0, np.int64))
    with pytest.raises(SnapshotDamaged):
        ConvMapTable(whole.blobs.astype(np.int16), whole.starts)
