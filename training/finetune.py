"""Adapts a network to one's own photos: `python -m training finetune`."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import keras

from imagesearch.backbones import Precision
from imagesearch.backbones.cards import CARDS
from imagesearch.backbones.converted import sha256_of
from imagesearch.backbones.making.weight_files import read_weights
from imagesearch.pictures.decode import ImageLimits
from training.batches import Batches
from training.measure import compare, precisions
from training.model_file import write_card, write_weights
from training.network import Trainable, arithmetic
from training.pictures import MIN_PER_LABEL, read_photos, split
from training.recipes import Finetuned, FinetuneRecipe
from training.run import has_gpu, train


def finetune(
    images: Path,
    start: Path,
    folder: Path,
    recipe: FinetuneRecipe,
    precision: Precision,
    limits: ImageLimits,
    progress: Callable[[str, int], Callable[[int], object]],
) -> Finetuned:
    """Measures, trains, measures again, and writes folder/model.npz (or .h5) if it has become better.

    images: one folder per label. start: the network's weights' file. progress: opens a bar of so many things.
    Raises UnusablePictures, CheckpointMismatch, DiskFull, ModelDamaged and the like.
    """
    layout, weights = read_weights(start)
    folder.mkdir(parents=True, exist_ok=True)
    photos = read_photos(images, folder / "photos.rgb", layout.input_size_px, limits, progress)
    learnt, held_out = split(photos, recipe.held_out_share, recipe.seed)
    keras.utils.set_random_seed(recipe.seed)
    with arithmetic(precision is Precision.BF16 or (precision is Precision.AUTO and has_gpu())):
        network = Trainable(layout, weights, recipe, len(photos.names))
    before = precisions(network.describing, photos, held_out)
    batches = Batches(photos, learnt, recipe)
    fingerprint = _fingerprint(photos.fingerprint(learnt), recipe, start)
    began = time.monotonic()
    train(network.learning, batches, recipe, folder, fingerprint, progress("training", batches.steps))
    done = Finetuned(
        comparison=compare(before, precisions(network.describing, photos, held_out), recipe.seed),
        descriptor=CARDS[layout.name].descriptor if recipe.descriptor == "whole" else recipe.descriptor,
        steps=batches.steps,
        seconds=time.monotonic() - began,
        photos_per_label=photos.per_label(learnt),
        left_out={name: count for name, count in photos.per_label().items() if count < MIN_PER_LABEL},
        unreadable=list(photos.unreadable),
    )
    model = folder / f"model{layout.file_suffix}"
    model.unlink(missing_ok=True)
    if not done.comparison.is_better:
        return done
    write_weights(model, network.to_weights())
    done = replace(done, model=str(model), sha256=sha256_of(model))
    write_card(model, done, start, recipe)
    return done


def _fingerprint(photos: str, recipe: FinetuneRecipe, start: Path) -> str:
    """Hexadecimal, of all that decides what comes out."""
    known = json.dumps([photos, asdict(recipe), sha256_of(start)])
    return hashlib.sha256(known.encode()).hexdigest()
