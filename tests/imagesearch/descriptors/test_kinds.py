"""What every kind of global descriptor has in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from imagesearch.descriptors.choices import KINDS, LOCAL_KINDS, NETWORK_KINDS, DescriptorSettings
from imagesearch.descriptors.kinds import create_descriptor, learn_encoding, restore_encoding
from imagesearch.errors import InvalidOption
from tests.fakes import FakeBackbone

SETTINGS = DescriptorSettings(long_side_px=64, whitening=True, words=4)


def pictures(count: int, dim: int, seed: int = 0) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    parts = [rng.random((40, dim)).astype(np.float32) ** 4 for _ in range(count)]
    return [vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in parts]


@pytest.mark.parametrize("kind", [kind for kind in NETWORK_KINDS if kind != "embedding"])
def test_a_descriptor_is_created_by_its_name(kind: str) -> None:
    descriptor = create_descriptor(kind, FakeBackbone(), SETTINGS)
    assert descriptor.name == kind
    seen = descriptor.input_plan.prepare(np.full((40, 60, 3), 9, np.uint8))
    assert descriptor.describe([seen])[0].shape[1] == descriptor.dim


@pytest.mark.parametrize("kind", ["fc99", "embedding"])
def test_what_a_network_does_not_give_is_refused_with_what_it_gives(kind: str) -> None:
    with pytest.raises(InvalidOption, match="fc6, spoc, mac, rmac, gem, bof, vlad, temb"):
        create_descriptor(kind, FakeBackbone(), SETTINGS)


def test_a_network_without_a_map_gives_its_embedding_alone() -> None:
    class Mapless(FakeBackbone):
        card = replace(FakeBackbone.card, descriptor="embedding", conv_map=None)

    assert create_descriptor("embedding", Mapless(), SETTINGS).name == "embedding"
    with pytest.raises(InvalidOption, match="there are: embedding, bof, vlad, temb"):
        create_descriptor("gem", Mapless(), SETTINGS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoding_gives_unit_rows_and_survives_storage(kind: str) -> None:
    encoding, _ = learn_encoding(kind, SETTINGS, 8, pictures(60, 8))
    again = restore_encoding(kind, encoding.to_arrays())
    assert again.dim == encoding.dim
    for vectors in pictures(5, 8, seed=1):
        row = encoding.encode(vectors)
        assert row.shape == (encoding.dim,)
        assert row.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(row), 1, atol=1e-5)
        np.testing.assert_array_equal(again.encode(vectors), row)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_pictures_give_the_same_encoding(kind: str) -> None:
    seen = pictures(1, 8, seed=1)[0]
    first, second = (learn_encoding(kind, SETTINGS, 8, pictures(60, 8))[0].encode(seen) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", LOCAL_KINDS)
def test_pictures_without_texture_are_alike_and_far_from_all_others(kind: str) -> None:
    encoding, _ = learn_encoding(kind, SETTINGS, 8, pictures(60, 8))
    nothing = encoding.encode(np.empty((0, 8), np.float32))
    np.testing.assert_allclose(np.linalg.norm(nothing), 1, atol=1e-5)
    distances = [np.linalg.norm(nothing - encoding.encode(vectors)) for vectors in pictures(20, 8, seed=1)]
    assert min(distances) > 0.7


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "temb"])
def test_three_pictures_are_enough_and_what_they_lack_is_said(kind: str) -> None:
    few = [vectors[:3] for vectors in pictures(3, 8)]
    encoding, note = learn_encoding(kind, DescriptorSettings(64, whitening=True, words=256), 8, few)
    assert encoding.encode(few[0]).any()
    assert ("few" in note) == (kind in LOCAL_KINDS or len(few) * 3 < 2 * 8)


def test_temb_says_what_it_needs_at_least() -> None:
    with pytest.raises(InvalidOption, match="there are 9"):
        learn_encoding("temb", SETTINGS, 8, [vectors[:3] for vectors in pictures(3, 8)])
