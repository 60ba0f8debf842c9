"""Steps, checkpoints and measurements: the run of a training."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras

from imagesearch.backbones.converted import sha256_of
from training.average import WeightAverage
from training.batches import BatchPlan, batches
from training.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from training.errors import CheckpointMismatch, TrainingDiverged
from training.log import TrainingLog
from training.machine import has_gpu
from training.network import Trainable
from training.pictures import LabelledPictures
from training.schedule import learning_rate

logger = logging.getLogger(__name__)

Measured = dict[str, float]
"""Columns of the log; "score" is what the best weights are chosen by."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a run is and how it goes."""

    sizes_px: list[int]
    """Of each step's pictures."""
    peak_rate: float
    weight_decay: float
    average_decay: float
    average_every: int
    """Steps; see `WeightAverage`."""
    measure_every: int
    """Steps between two measurements; the last step is always measured."""
    log_every: int = 20
    checkpoint_every_s: float = 180.0
    patience: int = 0
    """Measurements without a better one that end the run; 0 never does."""


@dataclass(slots=True)
class Standing:
    """Where a run stands; what a checkpoint holds beside the arrays."""

    fingerprint: str
    """Of the pictures and the recipe."""
    step: int = 0
    seconds: float = 0.0
    best_score: float = -math.inf
    best_step: int = 0
    since_best: int = 0
    measured: Measured = field(default_factory=dict)
    """At the best step."""


class Run:
    """One run of training in a folder, which it may have begun in an earlier process."""

    def __init__(
        self,
        network: Trainable,
        plan: BatchPlan,
        pace: Pace,
        folder: Path,
        fingerprint: str,
        measure: Callable[[], Measured],
        keep: Callable[[], None],
    ) -> None:
        """measure: with the averaged weights in the network. keep: writes these, better than all before.

        Raises CheckpointMismatch, CheckpointDamaged.
        """
        self.network, self.plan, self.pace = network, plan, pace
        self._measure, self._keep = measure, keep
        self._checkpoint = folder / "checkpoint.npz"
        self._optimizer = keras.optimizers.AdamW(pace.peak_rate, weight_decay=pace.weight_decay, clipnorm=5.0)
        self._optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
        network.compile(self._optimizer, jit_compile=has_gpu())
        self._optimizer.build(network.trainable_variables)
        self.average = WeightAverage(network, pace.average_decay, pace.average_every)
        self.standing = Standing(fingerprint)
        if self._checkpoint.exists():
            self._resume(load_checkpoint(self._checkpoint))
        self.log = TrainingLog(folder / "log.csv", self.standing.step)
        self._unreadable: set[str] = set()

    def go(self, workers: int, advance: Callable[[int], object]) -> Standing:
        """To the end, or until nothing has become better for long. advance: is told of the steps done."""
        began, saved = time.monotonic() - self.standing.seconds, time.monotonic()
        steps = len(self.pace.sizes_px)
        remaining = {step: self.pace.sizes_px[step] for step in range(self.standing.step, steps)}
        advance(self.standing.step)
        for batch in batches(self.plan, remaining, workers):
            self._optimizer.learning_rate = learning_rate(batch.step, steps, self.pace.peak_rate)
            targets = {"labels": batch.labels, "photos": batch.photos}
            terms = self.network.train_on_batch(batch.pixels, targets, return_dict=True)
            self.standing.step = batch.step + 1
            self.standing.seconds = time.monotonic() - began
            self.average.follow(self.standing.step)
            self._tell_unreadable(batch.unreadable)
            self._record(terms)
            advance(1)
            if self._has_stalled:
                break
            if time.monotonic() - saved > self.pace.checkpoint_every_s:
                self.save()
                saved = time.monotonic()
        self.save()
        return self.standing

    def save(self) -> None:
        """Raises DiskFull; the checkpoint before is kept."""
        arrays = {f"network/{i}": each for i, each in enumerate(self.network.get_weights())}
        for i, variable in enumerate(self._optimizer.variables):
            arrays[f"optimizer/{i}"] = variable.numpy()
        arrays |= {f"average/{i}": each for i, each in enumerate(self.average.arrays)}
        save_checkpoint(self._checkpoint, Checkpoint(asdict(self.standing), arrays))

    def _resume(self, checkpoint: Checkpoint) -> None:
        if checkpoint.state.get("fingerprint") != self.standing.fingerprint:
            raise CheckpointMismatch(
                f"{self._checkpoint} is of another run: its pictures, its recipe or its first weights were "
                "others. Give the same ones to go on, or another --out to begin anew."
            )
        self.standing = Standing(**checkpoint.state)
        arrays = checkpoint.arrays
        count = len(self.network.weights)
        self.network.set_weights([arrays[f"network/{i}"] for i in range(count)])
        self.average.restore([arrays[f"average/{i}"] for i in range(count)])
        for i, variable in enumerate(self._optimizer.variables):
            variable.assign(arrays[f"optimizer/{i}"])
        logger.info("Going on after step %d of %d.", self.standing.step, len(self.pace.sizes_px))

    def _record(self, terms: dict[str, Any]) -> None:
        standing, last = self.standing, self.standing.step == len(self.pace.sizes_px)
        measures = last or standing.step % self.pace.measure_every == 0
        if not measures and standing.step % self.pace.log_every:
            return
        if not math.isfinite(float(terms["loss"])):
            raise TrainingDiverged(
                f"The loss is not a finite number any more at step {standing.step}; try half the --rate."
            )
        row: dict[str, Any] = {
            "step": standing.step,
            "epoch": standing.step / self.plan.steps_per_epoch,
            "seconds": standing.seconds,
            "size_px": self.pace.sizes_px[standing.step - 1],
            "learning_rate": learning_rate(standing.step - 1, len(self.pace.sizes_px), self.pace.peak_rate),
            **{name: float(value) for name, value in terms.items()},
        }
        self.network.reset_metrics()
        if measures:
            row |= {name: value for name, value in self._measured().items() if name != "score"}
        self.log.add(row)
        logger.info("%s", ", ".join(f"{name} {value:.6g}" for name, value in row.items()))

    def _measured(self) -> Measured:
        standing = self.standing
        with self.average.applied():
            measured = self._measure()
            if measured["score"] > standing.best_score:
                self._keep()
                standing.best_score, standing.best_step = measured["score"], standing.step
                standing.measured, standing.since_best = measured, 0
            else:
                standing.since_best += 1
        return measured

    @property
    def _has_stalled(self) -> bool:
        return 0 < self.pace.patience <= self.standing.since_best

    def _tell_unreadable(self, paths: tuple[str, ...]) -> None:
        for path in set(paths) - self._unreadable:
            logger.warning("%s cannot be decoded; other pictures stand in for it.", path)
        self._unreadable |= set(paths)


def fingerprint(pictures: LabelledPictures, recipe: Any, start: Path | None) -> str:
    """Hexadecimal, of what a checkpoint is only good for."""
    known = [pictures.fingerprint(), asdict(recipe), sha256_of(start) if start else None]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
