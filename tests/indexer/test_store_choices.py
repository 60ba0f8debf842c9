"""What a store was built with, model, descriptor and the like: kept from then on, or changed by a rebuild."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from imagesearch.backbones import ModelIdentity
from imagesearch.backbones.making import ModelChoice
from imagesearch.conv_maps.describer import INDEXED_LONG_SIDE_PX
from imagesearch.conv_maps.storage import quantised
from imagesearch.errors import ModelMismatch, ModelUnavailable
from imagesearch.pictures.decode import ImageLimits, decode
from imagesearch.pictures.plans import LongSideInput
from imagesearch.store.snapshot import Snapshot
from indexer.inspection import damage
from tests.fakes import FakeBackbone
from tests.indexer.conftest import Workplace
from tests.indexer.pictures import draw, draw_many


def test_the_stores_own_model_is_taken_when_none_is_asked_for(workplace: Workplace) -> None:
    draw_many(workplace.images, range(2))
    workplace.build(model="other")
    draw(workplace.images / "new.png", 9)
    summary = workplace.build()
    assert (summary.model, summary.model_note) == ("other", "")
    assert workplace.networks.prepared == ["other"]


def test_why_a_model_was_taken_is_remembered(workplace: Workplace) -> None:
    draw_many(workplace.images, range(2))
    workplace.build()
    assert workplace.build().model_note == "The fake one, because this is a test."
    with Snapshot.open(workplace.layout) as snapshot:
        assert snapshot.manifest.model_note == "The fake one, because this is a test."


@pytest.mark.parametrize(
    "settings", [{"model": "other"}, {"model": "vgg16"}, {"precision": "bf16"}, {"descriptor": "gem"}]
)
def test_a_store_built_otherwise_is_refused_and_stays_as_it_was(
    workplace: Workplace, settings: dict[str, Any]
) -> None:
    draw_many(workplace.images, range(2))
    workplace.build()
    draw(workplace.images / "new.png", 9)
    with pytest.raises(ModelMismatch, match="--rebuild"):
        workplace.build(**settings)
    assert len(workplace.indexed()) == 2


def test_asking_for_what_the_store_was_built_with_is_fine(workplace: Workplace) -> None:
    draw_many(workplace.images, range(2))
    workplace.build()
    assert workplace.build(model="fake", precision="f32", descriptor="fc6").kept == 2


def test_a_model_of_the_same_name_with_other_weights_is_refused(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(2))
    workplace.build()
    choice = ModelChoice(replace(FakeBackbone.identity, digest="a" * 64), "")
    monkeypatch.setattr(workplace.networks, "prepare", lambda requested: choice)
    with pytest.raises(ModelMismatch, match="aaaaaaaaaaaa"):
        workplace.build(model="fake")


def test_a_store_whose_photos_were_prepared_otherwise_is_told_so_even_where_its_model_is_asked_for(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(2))
    workplace.build()
    choice = ModelChoice(replace(FakeBackbone.identity, preprocessing="fake-32-2"), "")

    def check(identity: ModelIdentity) -> None:
        raise ModelMismatch("Photos were prepared otherwise: build with --rebuild.")

    monkeypatch.setattr(workplace.networks, "prepare", lambda requested: choice)
    monkeypatch.setattr(workplace.networks, "check", check)
    with pytest.raises(ModelMismatch, match="prepared otherwise"):
        workplace.build(model="fake")


def test_an_unknown_descriptor_is_refused(workplace: Workplace) -> None:
    with pytest.raises(ValidationError, match="psychic"):
        workplace.build(descriptor="psychic")


def test_convolutional_maps_are_kept_when_asked_for_and_from_then_on(workplace: Workplace) -> None:
    """Of pictures of several shapes, a black one, a tiny one and a panorama among them."""
    draw_many(workplace.images, range(40))
    workplace.build(localization=True)
    Image.new("RGB", (48, 64)).save(workplace.images / "black.png")
    for name, size in {"tiny": (3, 2), "panorama": (2_000, 10)}.items():
        Image.linear_gradient("L").convert("RGB").resize(size).save(workplace.images / f"{name}.png")
    workplace.build()
    plan = LongSideInput(INDEXED_LONG_SIDE_PX)
    maps = workplace.conv_maps()
    assert len(maps) == 43
    for path, codes in maps.items():
        rgb = decode((workplace.images / path).read_bytes(), ImageLimits(10**6, 10**6)).rgb
        expected = quantised(FakeBackbone().conv_map(plan.prepare(rgb)[np.newaxis])[0])
        np.testing.assert_array_equal(codes, expected)
        assert codes.any() == (path != "black.png")
    assert damage(workplace.layout, workplace.networks) == []


def test_convolutional_maps_can_only_come_to_a_store_by_a_rebuild(workplace: Workplace) -> None:
    draw_many(workplace.images, range(2))
    workplace.build()
    with pytest.raises(ModelMismatch, match="--rebuild"):
        workplace.build(localization=True)
    with Snapshot.open(workplace.layout) as snapshot:
        assert snapshot.conv_maps is None
    assert workplace.build(rebuild=True, localization=True).described == 2
    assert len(workplace.conv_maps()) == 2


def test_a_rebuild_describes_everything_with_the_model_asked_for(workplace: Workplace) -> None:
    draw_many(workplace.images, range(5))
    workplace.build()
    before = workplace.indexed()
    summary = workplace.build(rebuild=True, model="other")
    assert (summary.described, summary.model, summary.snapshot) == (5, "other", "000002")
    after = workplace.indexed()
    for path, descriptor in before.items():
        np.testing.assert_array_equal(after[path], descriptor[::-1])
    assert workplace.build().model == "other"
    assert not workplace.layout.rebuild_ledger_path.exists()


def test_a_rebuild_that_fails_leaves_the_store_as_it_was_and_goes_on_later(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(70))
    workplace.build()
    with monkeypatch.context() as patch:
        fail_at_batch(patch, 2)
        with pytest.raises(RuntimeError, match="the network broke"):
            workplace.build(rebuild=True, model="other")
    assert workplace.build().model == "fake"
    summary = workplace.build(rebuild=True, model="other")
    assert (summary.described, summary.kept, summary.images) == (38, 32, 70)


def test_an_interrupted_rebuild_with_another_model_starts_over(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_many(workplace.images, range(70))
    workplace.build()
    with monkeypatch.context() as patch:
        fail_at_batch(patch, 2)
        with pytest.raises(RuntimeError, match="the network broke"):
            workplace.build(rebuild=True, model="other")
    assert workplace.build(rebuild=True, model="fake").described == 70


def test_a_lost_model_is_prepared_again_though_nothing_changed(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search service needs it, too."""
    draw_many(workplace.images, range(2))
    workplace.build()
    monkeypatch.setattr("indexer.networks.CARDS", {"fake": FakeBackbone.card})
    workplace.networks.lost.add("fake")
    assert not workplace.build().published
    assert workplace.networks.prepared == ["auto", "fake"]


def test_a_lost_model_that_cannot_be_had_again_is_told_even_where_nothing_changed(
    workplace: Workplace,
) -> None:
    draw_many(workplace.images, range(2))
    workplace.build()
    workplace.networks.lost.add("fake")
    with pytest.raises(ModelUnavailable, match="lacks the model fake"):
        workplace.build()


def fail_at_batch(patch: pytest.MonkeyPatch, failing: int) -> None:
    calls = 0
    whole = FakeBackbone.embed

    def embed(self: FakeBackbone, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        nonlocal calls
        calls += len(images) > 1  # the first call is of the known picture alone
        if calls == failing:
            raise RuntimeError("the network broke")
        return whole(self, images)

    patch.setattr(FakeBackbone, "embed", embed)
