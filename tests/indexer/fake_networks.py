"""Networks that need no weights. As a program: the indexer's command line with them.

For tests that interrupt the program, FAKE_BATCH_S makes each batch take that long, EARLY_AT_ONCE has it
publish after each, and KILL_BEFORE names a function, as module:name, instead of whose first call the process
kills itself.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones import Backbone, ModelIdentity, Precision
from imagesearch.backbones.converted import ConvertedModel
from imagesearch.backbones.making import ModelChoice
from imagesearch.backbones.making.quantisation import Describe
from imagesearch.errors import ModelUnavailable
from indexer import early
from indexer.__main__ import main
from tests.fakes import FakeBackbone


class SlowBackbone(FakeBackbone):
    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        time.sleep(float(os.environ.get("FAKE_BATCH_S", "0")))
        return super().embed(images)


class OtherBackbone(FakeBackbone):
    """Another model: every feature is another one's."""

    identity = ModelIdentity(name="other", digest="e" * 64, preprocessing="fake-32-1")

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return super().embed(images)[:, ::-1]


@dataclass
class FakeNetworks:
    """`indexer.networks.Networks`, keeping book of what was asked of it. "auto" is "fake"."""

    prepared: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    """Names of models whose folders are gone until they are prepared again."""

    def prepare(self, requested: str) -> ModelChoice:
        self.prepared.append(requested)
        self.lost.discard(requested)
        if requested == "auto":
            return ModelChoice(FakeBackbone.identity, "The fake one, because this is a test.")
        if requested not in ("fake", "other"):
            raise ModelUnavailable(f"There is no model {requested}.")
        return ModelChoice({"fake": FakeBackbone, "other": OtherBackbone}[requested].identity, "")

    def check(self, identity: ModelIdentity) -> None:
        if identity.name in self.lost:
            raise ModelUnavailable(f"The store lacks the model {identity.name}.")

    def load(self, identity: ModelIdentity, precision: Precision) -> Backbone:
        self.check(identity)
        self.loaded.append(identity.name)
        return {"fake": SlowBackbone, "other": OtherBackbone}[identity.name]()

    def latest_int8(self, identity: ModelIdentity) -> ConvertedModel | None:
        return None

    def quantise(
        self, identity: ModelIdentity, calibration: NDArray[np.uint8], describe: Describe
    ) -> ConvertedModel:
        raise AssertionError("no test quantises a fake network")


def kill_before(module: str, function: str) -> None:
    """function: as in "publish" or "Ledger.add"."""
    owner: object = importlib.import_module(module)
    *classes, name = function.split(".")
    for each in classes:
        owner = getattr(owner, each)
    setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))


if __name__ == "__main__":
    if "EARLY_AT_ONCE" in os.environ:
        early.FIRST_S, early.REST_S, early.MAX_SHARE = 0.0, 0.0, float("inf")
    if "KILL_BEFORE" in os.environ:
        kill_before(*os.environ["KILL_BEFORE"].split(":"))
    sys.exit(main(provide=lambda settings: FakeNetworks()))
