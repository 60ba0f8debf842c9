"""What goes through a file, a message or a link comes back as it was, whatever it is."""

from __future__ import annotations

import string
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from pydantic import ValidationError

from extractor_service.transport.messages import to_region
from gateway import errors, search_options
from gateway.addresses import region_text, search_address
from gateway.search_client import Photo, Query, known_shape
from gateway.search_client.messages import search_request
from imagesearch.conv_maps import storage as maps_storage
from imagesearch.errors import InvalidOption, SnapshotDamaged
from imagesearch.index.exact import ExactIndex
from imagesearch.index.matrix import DescriptorMatrix
from imagesearch.local_features import storage as features_storage
from imagesearch.local_features.features import LocalFeatures, from_bytes, to_bytes
from imagesearch.pictures.region import Region
from imagesearch.segmented import Segmented

FRACTIONS = st.floats(0, 1, allow_nan=False)
SIDE_NAMES = ("x", "y", "width", "height")


@st.composite
def local_features(draw: st.DrawFn) -> LocalFeatures:
    count = draw(st.integers(0, 6))
    return LocalFeatures(
        width_px=draw(st.integers(1, 2**31)),
        height_px=draw(st.integers(1, 2**31)),
        positions=draw(arrays(np.uint16, (count, 2))),
        scales=draw(arrays(np.float16, count, elements=st.floats(0, 1_000, width=16))),
        orientations=draw(arrays(np.uint16, count)),
        root_sift=draw(arrays(np.uint8, (count, 128))).astype(np.float32) * np.float32(1 / 512),
    )


@given(local_features())
def test_local_features_survive_their_bytes(features: LocalFeatures) -> None:
    again = from_bytes(to_bytes(features))
    assert (again.width_px, again.height_px) == (features.width_px, features.height_px)
    for name in ("positions", "scales", "orientations", "root_sift"):
        assert np.array_equal(getattr(again, name), getattr(features, name))


@given(arrays(np.float32, st.tuples(*[st.integers(1, 5)] * 3), elements=st.floats(0, 2**16, width=32)))
def test_a_conv_map_survives_its_bytes(conv_map: NDArray[np.float32]) -> None:
    again = maps_storage.from_bytes(maps_storage.to_bytes(conv_map))
    assert np.array_equal(again, maps_storage.quantised(conv_map))


@given(st.binary(max_size=400))
def test_bytes_that_are_no_blob_are_damage_and_nothing_else(data: bytes) -> None:
    for read in (features_storage.from_blob, maps_storage.from_bytes):
        with suppress(SnapshotDamaged):
            read(data)


@given(FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS)
def test_a_region_that_http_takes_is_one_that_the_library_takes(
    x: float, y: float, width: float, height: float
) -> None:
    try:
        region = search_options.Region(x=x, y=y, width=width, height=height)
    except ValidationError:
        with pytest.raises(InvalidOption):
            Region(x, y, width, height)
        return
    query = Query(search_options.SearchOptions(region=region), (Photo("0" * 32),))
    received = to_region(search_request(query, max_pixels=1, preview=False))
    assert received is not None
    assert numbers(received) == pytest.approx(numbers(region), abs=search_options.EDGE_TOLERANCE)


@given(FRACTIONS, FRACTIONS, FRACTIONS, FRACTIONS)
def test_a_link_brings_a_region_back(x: float, y: float, width: float, height: float) -> None:
    assume(min(width, height) >= 1e-3 and x + width <= 1 and y + height <= 1)
    region = search_options.Region(x=x, y=y, width=width, height=height)
    text = region_text(region)
    assert f"region={text}" in search_address("0" * 32, search_options.SearchOptions(region=region))
    again = search_options.Region(**dict(zip(SIDE_NAMES, map(float, text.split(",")), strict=True)))
    assert numbers(again) == pytest.approx(numbers(region), abs=1e-6)


@given(st.one_of(st.text(max_size=40), st.text(string.hexdigits, min_size=30, max_size=34)))
def test_an_id_is_32_lower_case_hexadecimal_digits_and_nothing_else(text: str) -> None:
    is_id = len(text) == 32 and set(text) <= set("0123456789abcdef")
    try:
        assert known_shape(text) == text
        assert is_id
    except errors.UnknownImage:
        assert not is_id


@given(st.lists(st.lists(st.integers(), max_size=4), max_size=5))
def test_a_row_of_a_table_in_parts_is_that_of_the_whole(parts: list[list[int]]) -> None:
    table = Segmented(parts)
    whole = [value for part in parts for value in part]
    located = [table.locate(row) for row in range(len(table))]
    assert [part[place] for part, place in located] == whole
    with pytest.raises(IndexError):
        table.locate(len(whole))


@settings(max_examples=60)
@given(st.data(), st.integers(1, 40), st.integers(1, 6), st.integers(1, 12))
def test_exact_search_is_brute_force_with_ties(
    data: st.DataObject, count: int, dim: int, wanted: int
) -> None:
    elements = st.sampled_from([0.0, 0.5, -0.5, 1.0])
    rows = _normalised(data.draw(arrays(np.float32, (count, dim), elements=elements))).astype(np.float16)
    query = _normalised(data.draw(arrays(np.float32, (1, dim), elements=elements)))
    found = ExactIndex(DescriptorMatrix([rows]), 1).search(query, wanted)
    distances = np.linalg.norm(rows.astype(np.float32) - query, axis=1)
    order = np.argsort(distances, kind="stable")[:wanted]
    assert np.allclose(found.distances[0, : len(order)], distances[order], atol=1e-3)
    assert np.allclose(distances[found.rows[0, : len(order)]], distances[order], atol=1e-3)


def _normalised(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1; a row of zeros stays."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def numbers(region: Region | search_options.Region) -> list[float]:
    return [getattr(region, name) for name in SIDE_NAMES]
