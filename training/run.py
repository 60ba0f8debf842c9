"""The run of a training in a folder, which an earlier process may have begun: Keras' fit and callbacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from training.batches import Batches
from training.errors import CheckpointDamaged, CheckpointMismatch, TrainingDiverged
from training.files import disk_full_told
from training.losses import LOSSES
from training.recipes import FinetuneRecipe
from training.views import begin_stretch

WARM_UP_SHARE = 0.1
FINAL_RATE_SHARE = 0.01


def train(
    network: keras.Model,
    batches: Batches,
    recipe: FinetuneRecipe,
    folder: Path,
    fingerprint: str,
    advance: Callable[[int], object],
) -> None:
    """To the end, from the last checkpoint in the folder on; then the network has its averaged weights.

    fingerprint: of what a checkpoint is only good for. advance: is given the steps done.
    Raises CheckpointMismatch, CheckpointDamaged, TrainingDiverged, DiskFull.
    """
    checkpoint, log = folder / "checkpoint", folder / "log.csv"
    _begin(folder, fingerprint)
    network.compile(_optimizer(recipe, batches.steps), loss=LOSSES[recipe.loss], jit_compile=has_gpu())
    with disk_full_told(folder):
        network.fit(
            batches,
            epochs=batches.stretches,
            shuffle=False,
            verbose=0,
            callbacks=[
                _Progress(batches, advance),
                keras.callbacks.CSVLogger(log, append=True),
                _Checkpoint(str(checkpoint), double_checkpoint=True, delete_checkpoint=False),
            ],
        )


def has_gpu() -> bool:
    """As the backend of Keras sees it."""
    return bool(keras.distribution.list_devices("gpu"))


def _begin(folder: Path, fingerprint: str) -> None:
    """Raises CheckpointMismatch."""
    known = folder / "run"
    if not (folder / "checkpoint").is_dir():
        (folder / "log.csv").unlink(missing_ok=True)
        known.write_text(fingerprint, encoding="ascii")
    elif known.read_text(encoding="ascii") != fingerprint:
        raise CheckpointMismatch(
            f"{folder} holds another run: its photos, its recipe or its first weights were others. Give the "
            "same ones to go on, or another --out."
        )


def _optimizer(recipe: FinetuneRecipe, steps: int) -> keras.optimizers.Optimizer:
    """Whose rate rises in a straight line, then falls along a cosine (Loshchilov & Hutter 2017, equation 5).

    It averages the weights, which is better than those of any one step (Tarvainen & Valpola 2017, section 2).
    """
    warm_up = max(1, round(WARM_UP_SHARE * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), FINAL_RATE_SHARE, warmup_target=recipe.peak_rate, warmup_steps=warm_up
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=recipe.weight_decay,
        clipnorm=5.0,
        use_ema=True,
        ema_momentum=max(0.0, 1 - 1 / (recipe.averaged_share * steps)),
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


class _Checkpoint(keras.callbacks.BackupAndRestore):  # type: ignore[misc]  # Keras has no types
    """Keras' own, which says what to do with one that cannot be read."""

    def on_train_begin(self, logs: Any = None) -> None:
        try:
            super().on_train_begin(logs)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointDamaged(
                f"{self.backup_dir} is not a readable checkpoint; delete it to begin from the start."
            ) from error


class _Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Tells batches and views which stretch they are of, and a person how far training is."""

    def __init__(self, batches: Batches, advance: Callable[[int], object]) -> None:
        super().__init__()
        self._batches, self._advance, self._told = batches, advance, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._batches.stretch = epoch
        begin_stretch(self.model, epoch)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Raises TrainingDiverged."""
        done = self._batches.stretch * len(self._batches) + batch + 1
        if not math.isfinite(float(logs["loss"])):
            raise TrainingDiverged(
                f"The loss is not a finite number any more at step {done}; try half the --rate."
            )
        self._advance(done - self._told)
        self._told = done
