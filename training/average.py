"""The running average of the weights, which is better than the weights at any one step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class WeightAverage:
    """An exponential average (Tarvainen & Valpola 2017, section 2) over every weight of a network.

    It follows the weights every few steps: reading them at each would cost more than it adds.
    """

    def __init__(self, network: keras.Model, decay: float, every: int) -> None:
        """decay: share of the average that stays for each step of training."""
        self._network = network
        self._decay = decay
        self._every = every
        self.arrays: list[NDArray[Any]] = network.get_weights()

    def follow(self, step: int) -> None:
        """step: how many have been done. Early on the average is short, so that it forgets the beginning."""
        if step % self._every:
            return
        kept = min(self._decay, step / (step + 10)) ** self._every
        for average, now in zip(self.arrays, self._network.get_weights(), strict=True):
            average += (1 - kept) * (now - average)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The network has the average's weights inside, its own again after."""
        own = self._network.get_weights()
        self._network.set_weights(self.arrays)
        try:
            yield
        finally:
            self._network.set_weights(own)

    def restore(self, arrays: list[NDArray[Any]]) -> None:
        self.arrays = [np.array(each) for each in arrays]
