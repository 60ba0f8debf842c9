"""The ledger that a build writes: the store's own, or a new one beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from imagesearch.errors import StoreError
from imagesearch.store.layout import StoreLayout
from imagesearch.store.ledger import Ledger
from imagesearch.store.ledger_file import remove_ledger
from imagesearch.store.recipe import Recipe
from indexer.network_source import Networks
from indexer.networks import (
    Describer,
    NewNetwork,
    check_network,
    choose_network,
    load_describer,
    restore_model,
)
from indexer.recipes import check_agreement
from indexer.settings import IndexerSettings

logger = logging.getLogger(__name__)

OpenedLedger = tuple[Ledger, Callable[[], Describer]]
"""A ledger, and what loads the network that its recipe asks for."""


@contextmanager
def store_ledger(
    settings: IndexerSettings, layout: StoreLayout, networks: Networks
) -> Iterator[OpenedLedger]:
    """The store's ledger, created where there is none."""
    ledger = Ledger.open(layout.ledger_path)
    if ledger is None:
        network = choose_network(settings, networks)
        with _create(layout.ledger_path, network) as ledger:
            yield ledger, lambda: network.describer
        return
    with ledger:
        check_agreement(ledger.recipe, settings)
        check_network(ledger.recipe, settings, networks)
        restore_model(ledger.recipe.model, networks)
        if settings.local_features and not ledger.recipe.local_features:
            ledger.want_local_features(upright=bool(settings.upright))
        yield ledger, partial(load_describer, ledger.recipe, networks)


@contextmanager
def rebuild_ledger(
    settings: IndexerSettings, layout: StoreLayout, networks: Networks
) -> Iterator[OpenedLedger]:
    """A ledger beside the store's, empty, or as far as an interrupted rebuild of the same kind has come."""
    network = choose_network(settings, networks)
    ledger = _interrupted_rebuild(layout.rebuild_ledger_path, network.recipe)
    with ledger or _create(layout.rebuild_ledger_path, network) as ledger:
        yield ledger, lambda: network.describer


def _interrupted_rebuild(path: Path, recipe: Recipe) -> Ledger | None:
    """Removes one that is damaged or of another recipe."""
    try:
        ledger = Ledger.open(path)
    except StoreError:
        remove_ledger(path)
        return None
    if ledger is None or ledger.recipe == recipe:
        return ledger
    ledger.close()
    remove_ledger(path)
    return None


def _create(path: Path, network: NewNetwork) -> Ledger:
    logger.info("Describing with %s: %s.", network.recipe.model.name, network.recipe.descriptor)
    return Ledger.create(path, network.recipe, network.model_note)
