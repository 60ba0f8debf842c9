"""Where the indexer gets its networks from: the store's folder of models, or a stand-in in tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones import Backbone, ModelIdentity, Precision, load_backbone
from imagesearch.backbones.converted import ConvertedModel, list_int8, open_converted
from imagesearch.backbones.making import ModelChoice, Progress, prepare_model
from imagesearch.backbones.making.quantisation import Describe, quantise
from imagesearch.host.cpus import available_cpus


class Networks(Protocol):
    """Where networks come from."""

    def prepare(self, requested: str) -> ModelChoice:
        """requested: "auto", the name of a card, or a weights' file."""
        ...

    def check(self, identity: ModelIdentity) -> None:
        """Quick. Raises ModelUnavailable or ModelDamaged where `load` would."""
        ...

    def load(self, identity: ModelIdentity, precision: Precision) -> Backbone: ...

    def latest_int8(self, identity: ModelIdentity) -> ConvertedModel | None:
        """The int8 form of a prepared model that was made last."""
        ...

    def quantise(
        self, identity: ModelIdentity, calibration: NDArray[np.uint8], describe: Describe
    ) -> ConvertedModel:
        """A new int8 form: see `backbones.quantisation.quantise`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredNetworks:
    """Converted models in the store's folder of models."""

    models_dir: Path
    vgg16_weights: Path | None
    threads: int
    progress: Progress

    def prepare(self, requested: str) -> ModelChoice:
        return prepare_model(requested, self.models_dir, self.vgg16_weights, self.progress)

    def check(self, identity: ModelIdentity) -> None:
        open_converted(self.models_dir, identity)

    def load(self, identity: ModelIdentity, precision: Precision) -> Backbone:
        return load_backbone(self.models_dir, identity, precision, self.threads or available_cpus())

    def latest_int8(self, identity: ModelIdentity) -> ConvertedModel | None:
        return next(iter(list_int8(self.models_dir, identity)), None)

    def quantise(
        self, identity: ModelIdentity, calibration: NDArray[np.uint8], describe: Describe
    ) -> ConvertedModel:
        return quantise(self.models_dir, identity, calibration, describe, self.threads or available_cpus())
