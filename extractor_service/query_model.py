"""The network that queries go through: always the one that the live snapshot was built with."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from extractor_service.backbones.base import Backbone, ModelIdentity, Precision
from extractor_service.batching import Batcher
from extractor_service.conv_maps import MacDescriber
from extractor_service.descriptors import create_descriptor
from extractor_service.descriptors.base import Descriptor
from extractor_service.errors import ModelDamaged, ModelMismatch
from extractor_service.sharing import Shared
from extractor_service.store.manifest import Manifest

logger = logging.getLogger(__name__)

LoadBackbone = Callable[[ModelIdentity, Precision], Backbone]

# float32 rows of some thousand values are normalised to within 1e-6; a broken network is off by far more.
_NORM_TOLERANCE = 1e-3


class QueryModel(Shared):
    """One descriptor over one network, and what localises by it, each with the queue in front of it."""

    def __init__(
        self,
        identity: ModelIdentity,
        precision: Precision,
        descriptor: Descriptor,
        max_batch: int,
        macs: MacDescriber | None = None,
    ) -> None:
        """macs: None where the snapshot holds no convolutional maps to compare with."""
        super().__init__()
        self.identity = identity
        self.precision = precision
        self.descriptor = descriptor
        self.batcher = Batcher(descriptor.describe, max_batch)
        self.map_plan = macs.input_plan if macs else None
        self._mac_batcher = Batcher(macs.describe, max_batch) if macs else None

    def fits(self, manifest: Manifest) -> bool:
        """Whether its descriptors can be compared with the snapshot's, and its maps where there are some."""
        localizes = self._mac_batcher is not None
        return (self.identity, self.descriptor.name, self.descriptor.dim, localizes) == (
            manifest.model,
            manifest.descriptor,
            manifest.dim,
            manifest.localization,
        )

    async def mac_vector(self, map_input: NDArray[np.uint8] | None) -> NDArray[np.float32] | None:
        """shape=(C,), not normalised. map_input: prepared by `map_plan`; None gives None."""
        if map_input is None or self._mac_batcher is None:
            return None
        return await self._mac_batcher.describe(map_input)

    def _close(self) -> None:
        self.batcher.close()
        if self._mac_batcher is not None:
            self._mac_batcher.close()


def load_query_model(
    manifest: Manifest, load_backbone: LoadBackbone, precision: Precision, max_batch: int
) -> QueryModel:
    """Raises ModelError where the network cannot be used, ModelMismatch where it is not the snapshot's."""
    backbone = load_backbone(manifest.model, _comparable(manifest.precision, precision))
    if backbone.precision is not manifest.precision:
        logger.warning(
            "queries are described at %s, the index at %s: distances shift slightly",
            backbone.precision.value, manifest.precision.value,
        )  # fmt: skip
    descriptor = create_descriptor(manifest.descriptor, backbone)
    macs = MacDescriber(backbone) if manifest.localization else None
    model = QueryModel(backbone.identity, backbone.precision, descriptor, max_batch, macs)
    try:
        if not model.fits(manifest):
            raise ModelMismatch("The network is not the one that the snapshot was built with; index again.")
        _check_known_picture(descriptor)
        if macs is not None:  # for its first query need not wait until the network is compiled
            macs.describe([macs.input_plan.prepare(_known_picture())])
    except Exception:
        model.release()
        raise
    return model


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


def _check_known_picture(descriptor: Descriptor) -> None:
    """Runs a fixed picture through the network, which also warms it up. Raises ModelDamaged for nonsense."""
    described = descriptor.describe([descriptor.input_plan.prepare(_known_picture())])
    norm = float(np.linalg.norm(described))
    # A norm that is not a number fails the comparison as well.
    if described.shape != (1, descriptor.dim) or not abs(norm - 1) <= _NORM_TOLERANCE:
        raise ModelDamaged("The network does not describe a known picture as it should; convert it again.")


def _known_picture() -> NDArray[np.uint8]:
    """shape=(256, 256, 3): red grows to the right, green downwards, blue in squares of 32 pixels."""
    y, x = np.mgrid[0:256, 0:256]
    squares = ((x // 32 + y // 32) % 2) * 255
    return np.stack([x, y, squares], axis=-1).astype(np.uint8)
