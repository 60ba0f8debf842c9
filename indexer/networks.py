"""The network behind the descriptors: chosen for a new store, remembered by an old one."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from imagesearch.backbones import Backbone, ModelIdentity, Precision
from imagesearch.backbones.cards import CARDS
from imagesearch.conv_maps import MapDescriber
from imagesearch.descriptors.base import Descriptor
from imagesearch.descriptors.choices import LOCAL_KINDS
from imagesearch.descriptors.kinds import create_descriptor
from imagesearch.errors import ModelDamaged, ModelUnavailable
from imagesearch.store.recipe import Recipe
from indexer import quantisation
from indexer.network_source import Networks
from indexer.recipes import ROOT_SIFT, mismatch, new_recipe
from indexer.settings import IndexerSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Describer:
    """What a store's pictures go through."""

    descriptor: Descriptor | None
    """None where local features describe them."""
    maps: MapDescriber | None
    """None where the store keeps no convolutional maps."""

    @classmethod
    def of(cls, recipe: Recipe, backbone: Backbone | None) -> Describer:
        """backbone: None where the recipe needs no network."""
        if backbone is None:
            return cls(None, None)
        maps = MapDescriber(backbone) if recipe.localization else None
        if recipe.descriptor in LOCAL_KINDS:
            return cls(None, maps)
        return cls(create_descriptor(recipe.descriptor, backbone, recipe.settings), maps)


@dataclass(frozen=True, slots=True)
class NewNetwork:
    """What a new store is built with."""

    recipe: Recipe
    model_note: str
    """Why this network, one sentence; empty where it was asked for by name."""
    describer: Describer


def choose_network(settings: IndexerSettings, networks: Networks) -> NewNetwork:
    """With int8, the int8 form that was made last, or one that is made now.

    Raises InvalidOption, ModelUnavailable, ModelDamaged and PrecisionRefused.
    """
    if settings.descriptor in LOCAL_KINDS and not settings.localization:
        recipe = new_recipe(settings, None)
        return NewNetwork(recipe, "", Describer.of(recipe, None))
    choice = networks.prepare(settings.model)
    identity = choice.identity
    if settings.precision is Precision.INT8:
        int8 = networks.latest_int8(identity) or quantisation.quantise(settings, networks, identity)
        identity = int8.identity
    backbone = networks.load(identity, settings.precision)
    recipe = new_recipe(settings, backbone)
    return NewNetwork(recipe, choice.note, Describer.of(recipe, backbone))


def load_describer(recipe: Recipe, networks: Networks) -> Describer:
    backbone = networks.load(recipe.model, recipe.precision) if recipe.needs_network else None
    return Describer.of(recipe, backbone)


def restore_model(identity: ModelIdentity, networks: Networks) -> None:
    """Prepares a store's model again where its folder is lost or damaged: the search service needs it, too.

    Raises ModelUnavailable or ModelDamaged where it cannot be had again.
    """
    if identity == ROOT_SIFT:
        return
    try:
        networks.check(identity)
    except (ModelUnavailable, ModelDamaged) as error:
        if identity.name not in CARDS or identity.quantisation:
            raise
        logger.warning("%s Preparing it again.", error)
        if networks.prepare(identity.name).identity != identity:
            raise


def check_network(recipe: Recipe, settings: IndexerSettings, networks: Networks) -> None:
    """Raises ModelMismatch where the settings ask for another network than the store was built with."""
    if not recipe.needs_network or settings.model == "auto":
        return
    if settings.model in CARDS and settings.model != recipe.model.name:
        raise mismatch("model", recipe.model.name, settings.model)
    asked_for = networks.prepare(settings.model).identity
    if asked_for.digest == recipe.model.digest:
        networks.check(recipe.model.unquantised)  # which tells of another preparation of photos
    if asked_for != recipe.model.unquantised:
        raise mismatch("model", _long_name(recipe.model), _long_name(asked_for))


def _long_name(identity: ModelIdentity) -> str:
    return f"{identity.name} {identity.digest[:12]}"
