"""The network that queries go through: always the one that the live snapshot was built with."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from extractor_service.live.batching import Batcher
from extractor_service.live.sharing import Shared
from imagesearch.backbones.base import Backbone, ModelIdentity, Precision
from imagesearch.conv_maps import MacDescriber
from imagesearch.descriptors.base import Descriptor
from imagesearch.descriptors.choices import LOCAL_KINDS
from imagesearch.descriptors.embedding import WordDescriber
from imagesearch.descriptors.kinds import create_descriptor
from imagesearch.descriptors.known_picture import check_norms, describe_known, known_picture
from imagesearch.errors import ModelMismatch, TextUnavailable
from imagesearch.local_features import RootSift
from imagesearch.local_features.features import from_bytes
from imagesearch.local_features.storage import from_blob, to_blob
from imagesearch.pictures.plans import InputPlan, NoInput
from imagesearch.pictures.prepare import QueryPicture
from imagesearch.store.manifest import Manifest
from imagesearch.store.recipe import Recipe

logger = logging.getLogger(__name__)

LoadBackbone = Callable[[ModelIdentity, Precision], Backbone]


class QueryModel(Shared):
    """What queries are described by: a network or local features, and what localises by the network's maps.

    Each network has the queue in front of it.
    """

    def __init__(
        self,
        recipe: Recipe,
        precision: Precision,
        network: Descriptor | None,
        max_batch: int,
        macs: MacDescriber | None = None,
        words: WordDescriber | None = None,
        title: str = "",
    ) -> None:
        """recipe: of the snapshot it is for. network: None where the recipe describes by local features.
        macs: None where the snapshot holds no convolutional maps to compare with. words: None where the
        snapshot cannot be searched with them. title: the network's name for people."""
        super().__init__()
        self.title = title
        self.precision = precision
        self.input_plan: InputPlan = network.input_plan if network else NoInput()
        upright = recipe.upright
        self.extractor = RootSift.of_query(upright) if network else RootSift(upright=upright)
        """Finds the local features of a query."""
        self.needs_local_features = network is None
        self.map_plan = macs.input_plan if macs else None
        self._recipe = recipe
        self._batcher = Batcher(network.describe, max_batch) if network else None
        self._mac_batcher = Batcher(macs.describe, max_batch) if macs else None
        self._words = words

    def fits(self, manifest: Manifest) -> bool:
        """Whether its vectors can be compared with the snapshot's, and its maps where there are some."""
        wanted = manifest.recipe
        return wanted == replace(
            self._recipe, precision=wanted.precision, local_features=wanted.local_features
        )

    async def vectors(self, picture: QueryPicture) -> NDArray[np.float32]:
        """shape=(R, C), rows L2-normalised. picture: decoded with `input_plan`, and `extractor` if needed."""
        if self._batcher is None:
            assert picture.local_features is not None
            # As the store keeps them: a descriptor is made of what is kept.
            return from_blob(to_blob(from_bytes(picture.local_features))).root_sift
        vectors = await self._batcher.describe(picture.network_input)
        # Rounded as an indexer's ledger rounds them: a whitening would widen the difference.
        return vectors.astype(np.float16).astype(np.float32)

    async def mac_vectors(self, map_input: NDArray[np.uint8] | None) -> NDArray[np.float32] | None:
        """shape=(V, C), not normalised. map_input: prepared by `map_plan`; None gives None."""
        if map_input is None or self._mac_batcher is None:
            return None
        return await self._mac_batcher.describe(map_input)

    @property
    def knows_words(self) -> bool:
        return self._words is not None

    def check_words(self) -> None:
        """Raises TextUnavailable."""
        if self._words is None:
            raise TextUnavailable(
                "This collection cannot be searched with words, which its network does not know; index the "
                "photos with a model that has a text tower."
            )

    def words(self, text: str) -> NDArray[np.float32]:
        """shape=(C,), L2-normalised, or zero where the network knows none of the words. Blocks."""
        assert self._words is not None
        return self._words.describe(text)

    def known_words(self) -> NDArray[np.float32]:
        """What words are held against to tell how near is near: shape=(N, C), rows L2-normalised."""
        assert self._words is not None
        return self._words.known

    def _close(self) -> None:
        for batcher in (self._batcher, self._mac_batcher):
            if batcher is not None:
                batcher.close()


def load_query_model(
    manifest: Manifest,
    known: NDArray[np.float16] | None,
    load_backbone: LoadBackbone,
    precision: Precision,
    max_batch: int,
) -> QueryModel:
    """known: see `Snapshot.known`.

    Raises ModelError where the network cannot be used, ModelMismatch where it is not the snapshot's.
    """
    recipe = manifest.recipe
    if not recipe.needs_network:
        return QueryModel(recipe, recipe.precision, None, max_batch)
    backbone = load_backbone(recipe.model, _comparable(recipe.precision, precision))
    if backbone.precision is not recipe.precision:
        logger.warning(
            "queries are described at %s, the index at %s: distances shift slightly",
            backbone.precision.value, recipe.precision.value,
        )  # fmt: skip
    if backbone.identity != recipe.model:
        raise _mismatch()
    macs = MacDescriber(backbone) if recipe.localization else None
    if macs is not None:  # for its first query need not wait until the network is compiled
        macs.describe([macs.input_plan.prepare(known_picture())])
    if recipe.descriptor in LOCAL_KINDS:
        return QueryModel(recipe, backbone.precision, None, max_batch, macs)
    network = create_descriptor(recipe.descriptor, backbone, recipe.settings)
    if network.dim != recipe.dim:
        raise _mismatch()
    describe_known(network, known)
    has_words = backbone.card.text is not None and recipe.descriptor == backbone.card.descriptor
    words = WordDescriber(backbone) if has_words else None
    if words is not None:
        check_norms(words.known, network.dim)
    return QueryModel(recipe, backbone.precision, network, max_batch, macs, words, backbone.card.title)


def _mismatch() -> ModelMismatch:
    return ModelMismatch("The network is not the one that the snapshot was built with; index again.")


def _comparable(index: Precision, asked_for: Precision) -> Precision:
    """The precision of queries. f32 and bf16 differ by rounding; int8 is another network, whose descriptors
    are compared with its own only."""
    if asked_for is Precision.AUTO:
        return index
    if asked_for is not index and Precision.INT8 in (asked_for, index):
        logger.warning(
            "queries are described at %s like the index, not at %s: int8 is compared with int8 only; for "
            "another precision index with INDEXER_PRECISION and build --rebuild",
            index.value, asked_for.value,
        )  # fmt: skip
        return index
    return asked_for
