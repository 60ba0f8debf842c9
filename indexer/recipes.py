"""How a store describes photos: made from the settings for a new store, held against them for an old one."""

from __future__ import annotations

from dataclasses import replace

from imagesearch.backbones import Backbone, Card, ModelIdentity, Precision
from imagesearch.descriptors import bof, temb, vlad
from imagesearch.descriptors.choices import LOCAL_KINDS, DescriptorSettings
from imagesearch.descriptors.kinds import create_descriptor
from imagesearch.descriptors.pooled import POOLINGS
from imagesearch.errors import InvalidOption, ModelMismatch
from imagesearch.local_features.features import DIM
from imagesearch.store.recipe import Recipe
from indexer.settings import IndexerSettings

ROOT_SIFT = ModelIdentity(name="rootsift", digest="", preprocessing="rootsift-1024-1000-1")
"""What stands in place of a network where there is none."""

WORDS = {"bof": bof.WORDS, "vlad": vlad.WORDS, "temb": temb.WORDS}


def new_recipe(settings: IndexerSettings, backbone: Backbone | None) -> Recipe:
    """backbone: None where neither the descriptor nor localisation needs one. Raises InvalidOption where the
    network does not give what is asked for."""
    card = backbone.card if backbone else None
    kind = descriptor_kind(settings, card)
    if settings.localization and card and not card.conv_map:
        raise InvalidOption(f"{card.title} has no convolutional map: leave INDEXER_LOCALIZATION at false.")
    local = kind in LOCAL_KINDS
    local_features = local or settings.local_features
    recipe = Recipe(
        kind,
        DIM,
        backbone.identity if backbone else ROOT_SIFT,
        backbone.precision if backbone else Precision.F32,
        local_features,
        settings.localization,
        local_features and bool(settings.upright),
        descriptor_settings(settings, kind, card),
    )
    if local or backbone is None:
        return recipe
    return replace(recipe, dim=create_descriptor(recipe.descriptor, backbone, recipe.settings).dim)


def descriptor_kind(settings: IndexerSettings, card: Card | None) -> str:
    """The kind that the settings ask for. card: of the network; None where there is none."""
    if settings.descriptor != "auto":
        return settings.descriptor
    assert card is not None  # only descriptors of local features do without a network
    return card.descriptor


def descriptor_settings(settings: IndexerSettings, kind: str, card: Card | None) -> DescriptorSettings:
    if kind in LOCAL_KINDS:
        return DescriptorSettings(words=settings.words or WORDS[kind])
    if kind not in POOLINGS or card is None or card.conv_map is None:
        return DescriptorSettings()
    return DescriptorSettings(
        long_side_px=settings.long_side_px or card.conv_map.long_side_px,
        multi_scale=bool(settings.multi_scale),
        whitening=settings.whitening is not False,
    )


def check_agreement(recipe: Recipe, settings: IndexerSettings) -> None:
    """But for the network. Raises ModelMismatch where the settings ask for something else than the recipe."""
    local = recipe.descriptor in LOCAL_KINDS
    if settings.descriptor not in ("auto", recipe.descriptor):
        raise mismatch("descriptor", recipe.descriptor, settings.descriptor)
    if recipe.needs_network and settings.precision not in (Precision.AUTO, recipe.precision):
        raise mismatch("precision", recipe.precision, settings.precision)
    if settings.localization and not recipe.localization:
        raise ModelMismatch(
            "The store was built without convolutional maps: describe all photos again with build --rebuild, "
            "or leave INDEXER_LOCALIZATION at false."
        )
    used = recipe.settings
    if recipe.local_features and settings.upright not in (None, recipe.upright):
        raise mismatch("upright local features:", recipe.upright, settings.upright)
    if local and settings.words not in (0, used.words):
        raise mismatch("visual words:", used.words, settings.words)
    if recipe.descriptor not in POOLINGS:
        return
    if settings.long_side_px not in (0, used.long_side_px):
        raise mismatch("a long side in pixels of", used.long_side_px, settings.long_side_px)
    if settings.multi_scale not in (None, used.multi_scale):
        raise mismatch("several scales:", used.multi_scale, settings.multi_scale)
    if settings.whitening not in (None, used.whitening):
        raise mismatch("whitening:", used.whitening, settings.whitening)


def mismatch(what: str, built_with: object, asked_for: object) -> ModelMismatch:
    return ModelMismatch(
        f"The store was built with {what} {built_with}, but {asked_for} is asked for: ask for {built_with}, "
        "describe all photos again with build --rebuild, or give another store."
    )
