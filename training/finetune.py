"""Adapts a network to one's own photos: `python -m training finetune`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from imagesearch.backbones.cards import CARDS
from imagesearch.backbones.converted import sha256_of
from imagesearch.backbones.making.layout import Layout, Weights
from imagesearch.backbones.making.weight_files import read_weights
from training.batches import BatchPlan, whole_pictures
from training.cards import finetuned_card, write_card
from training.errors import UnusablePictures
from training.loop import Measured, Pace, Run, fingerprint
from training.measure import average_precisions, compare, descriptors, mean_by_label
from training.network import Trainable, arithmetic
from training.pictures import LabelledPictures, find_pictures, pictures_per_label, split
from training.prepared import prepare
from training.recipes import DescriptorName, FinetuneRecipe, Machine
from training.results import Finetuned
from training.schedule import Stage, sizes_by_step
from training.weights_output import suffix_of, write_weights

logger = logging.getLogger(__name__)

MIN_PER_LABEL = 4
"""Two to learn from and two to measure with: one alone has nothing to find."""
MIN_LABELS = 2
CHOICE_SHARE = 0.2
"""Of what is learnt from: kept apart to tell when to stop, so that what is reported was never looked at."""
MAX_MEASURED = 3000

Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Photos:
    """The photos, in three parts that share none."""

    learnt: LabelledPictures
    choosing: LabelledPictures
    held_out: LabelledPictures
    left_out: dict[str, int]
    unreadable: list[str]


def finetune(
    images: Path,
    start: Path,
    folder: Path,
    recipe: FinetuneRecipe,
    machine: Machine,
    progress: Callable[[str, int], Advance],
) -> Finetuned:
    """Measures, trains, measures again, and writes folder/model.npz (or .h5) if it has become better.

    images: one folder per label. start: the network's weights' file. progress: opens a bar of so many things.
    Raises UnusablePictures, CheckpointMismatch, DiskFull, ModelDamaged and the like.
    """
    layout, weights = read_weights(start)
    photos = _photos(images, folder, layout.input_size_px, recipe, machine, progress)
    network = _network(layout, weights, recipe, machine, len(photos.learnt.names))
    before = _precisions(network, photos.held_out, recipe.descriptor, machine)
    best = folder / f"best{suffix_of(layout)}"
    plan = _plan(photos.learnt, layout, recipe, machine)
    pace = _pace(recipe, plan)
    run = Run(
        network,
        plan,
        pace,
        folder,
        fingerprint(photos.learnt, recipe, start),
        _choice_measure(network, photos.choosing, recipe.descriptor, machine),
        lambda: write_weights(best, network.to_weights()),
    )
    standing = run.go(machine.workers, progress("training", len(pace.sizes_px)))
    network.start_from(read_weights(best)[1])
    comparison = compare(
        before, _precisions(network, photos.held_out, recipe.descriptor, machine), recipe.seed
    )
    model = folder / f"model{suffix_of(layout)}"
    model.unlink(missing_ok=True)
    if comparison.is_better:
        best.replace(model)
    done = Finetuned(
        str(model) if comparison.is_better else None,
        sha256_of(model) if comparison.is_better else None,
        comparison,
        CARDS[layout.name].descriptor if recipe.descriptor == "whole" else recipe.descriptor,
        standing.step,
        standing.seconds,
        pictures_per_label(photos.learnt),
        photos.left_out,
        photos.unreadable,
    )
    if comparison.is_better:
        write_card(model, finetuned_card(done, start, recipe))
    return done


def _photos(
    images: Path,
    folder: Path,
    size_px: int,
    recipe: FinetuneRecipe,
    machine: Machine,
    progress: Callable[[str, int], Advance],
) -> Photos:
    if not images.is_dir():
        raise UnusablePictures(f"There is no folder {images}.")
    found = find_pictures([images])
    _require_labels(found, images)
    folder.mkdir(parents=True, exist_ok=True)
    small, unreadable = prepare(
        found, folder / "photos.zip", size_px, machine.limits, progress("reading", len(found))
    )
    for path in unreadable:
        logger.warning("%s cannot be decoded and is left out.", path)
    _require_labels(small, images)
    counts = pictures_per_label(small)
    enough = [row for row, label in enumerate(small.labels) if counts[small.names[label]] >= MIN_PER_LABEL]
    rest, held_out = split(small.subset(enough), recipe.held_out_share, recipe.seed, least=2)
    learnt, choosing = split(rest, CHOICE_SHARE, recipe.seed + 1, least=2)
    if not len(choosing):  # too few to keep some apart
        choosing = learnt
    left_out = {name: count for name, count in counts.items() if count < MIN_PER_LABEL}
    return Photos(learnt, choosing, _at_most(held_out, MAX_MEASURED, recipe.seed), left_out, unreadable)


def _require_labels(pictures: LabelledPictures, images: Path) -> None:
    counts = Counter(pictures_per_label(pictures))
    enough = [name for name, count in counts.items() if count >= MIN_PER_LABEL]
    if len(enough) < MIN_LABELS:
        raise UnusablePictures(
            f"Fine-tuning needs at least {MIN_LABELS} folders, one per label, of at least {MIN_PER_LABEL} "
            f"photos that can be decoded; {images} has {len(enough)} such folders of {len(counts)}, with "
            f"{len(pictures)} photos in all."
        )


def _at_most(pictures: LabelledPictures, count: int, seed: int) -> LabelledPictures:
    order = np.random.default_rng(seed).permutation(len(pictures))[:count]
    return pictures.subset(np.sort(order))


def _network(
    layout: Layout,
    weights: Weights,
    recipe: FinetuneRecipe,
    machine: Machine,
    label_count: int,
) -> Trainable:
    keras.utils.set_random_seed(recipe.seed)
    with arithmetic(machine.bf16):
        network = Trainable(layout, label_count, recipe.objective())
    network.start_from(weights)
    network.freeze(recipe.frozen_blocks)
    return network


def _plan(learnt: LabelledPictures, layout: Layout, recipe: FinetuneRecipe, machine: Machine) -> BatchPlan:
    labels = min(recipe.labels_per_batch, len(pictures_per_label(learnt)))
    return BatchPlan(
        learnt,
        labels * recipe.photos_per_label,
        views=1,
        size_px=layout.input_size_px,
        augmentation=recipe.augmentation,
        limits=machine.limits,
        seed=recipe.seed,
        per_label=recipe.photos_per_label,
    )


def _pace(recipe: FinetuneRecipe, plan: BatchPlan) -> Pace:
    sizes_px = sizes_by_step((Stage(plan.size_px, recipe.epochs),), plan.steps_per_epoch)
    return Pace(
        sizes_px,
        recipe.peak_rate,
        recipe.weight_decay,
        recipe.average_decay,
        average_every=1,
        measure_every=max(1, len(sizes_px) // recipe.measurements),
        patience=recipe.patience,
    )


def _precisions(
    network: Trainable, pictures: LabelledPictures, descriptor: DescriptorName, machine: Machine
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Average precision of each picture as a query among the others, and its label."""
    pixels, rows, _ = whole_pictures(pictures, network.layout.input_size_px, machine.limits)
    labels = pictures.labels[rows]
    return average_precisions(descriptors(network, pixels, descriptor), labels), labels


def _choice_measure(
    network: Trainable, choosing: LabelledPictures, descriptor: DescriptorName, machine: Machine
) -> Callable[[], Measured]:
    def measure() -> Measured:
        score = mean_by_label(*_precisions(network, choosing, descriptor, machine))
        return {"choice_map": score, "score": score}

    return measure
