"""Trains the compact network on labelled pictures: `python -m training pretrain`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from imagesearch.backbones.converted import sha256_of
from imagesearch.backbones.making.vgg_layout import COMPACT_LAYOUT, VggLayout
from imagesearch.backbones.making.weight_files import read_weights
from imagesearch.descriptors.normalisation import l2_normalised
from imagesearch.errors import ModelUnavailable
from training.batches import BatchPlan, whole_pictures
from training.cards import pretrained_card, write_card
from training.errors import UnusablePictures
from training.log import can_draw, draw_curve
from training.loop import Measured, Pace, Run, fingerprint
from training.measure import average_precisions, outputs, top1
from training.network import Trainable, arithmetic, random_weights
from training.pictures import LabelledPictures, find_pictures, split
from training.recipes import Machine, PretrainRecipe
from training.results import Pretrained
from training.schedule import sizes_by_step
from training.weights_output import write_weights
from training.whitened_head import whitened_head

HELD_OUT_SHARE = 0.05
MEASURED_PICTURES = 1500
MEASURED_PHOTOS = 400
"""Of which two views each have to find one another."""
HEAD_PHOTOS, HEAD_VIEWS, HEAD_BATCH = 4000, 4, 50
MEASURED_SIZE_PX = 64


def pretrain(
    sources: Sequence[Path],
    folder: Path,
    recipe: PretrainRecipe,
    machine: Machine,
    start: Path | None,
    progress: Callable[[str, int], Callable[[int], object]],
) -> Pretrained:
    """Writes folder/compact.npz, the best weights measured on held-out pictures, and the log and checkpoint.

    start: a weights' file to go on from; None begins with random weights and batch normalisation.
    Interrupted, the same call goes on from the last checkpoint. Raises UnusablePictures,
    CheckpointMismatch, DiskFull and the like.
    """
    everything = find_pictures(sources)
    if len(everything.names) < 2:
        raise UnusablePictures(
            "Pretraining needs pictures of at least two labels, each in a folder of its own; "
            f"there {'is one' if everything.names else 'is none'}."
        )
    learnt, held_out = split(everything, HELD_OUT_SHARE, recipe.seed)
    folder.mkdir(parents=True, exist_ok=True)
    plan = batch_plan(learnt, recipe, machine)
    keras.utils.set_random_seed(recipe.seed)
    network = _network(recipe, machine, start, len(everything.names))
    pace = _pace(recipe, plan)
    model = folder / "compact.npz"
    run = Run(
        network,
        plan,
        pace,
        folder,
        fingerprint(learnt, recipe, start),
        held_out_measure(network, plan, held_out),
        lambda: write_weights(model, network.to_weights()),
    )
    standing = run.go(machine.workers, progress("training", len(pace.sizes_px)))
    with run.average.applied():
        top1_by_set = held_out_top1(network, held_out, machine)
    whiten_head(model, plan, recipe, machine)
    if can_draw():
        draw_curve(run.log.rows, folder / "curve.svg")
    done = Pretrained(
        str(model),
        sha256_of(model),
        standing.best_step,
        len(pace.sizes_px),
        standing.seconds,
        standing.measured["top1"],
        standing.measured["instance_map"],
        top1_by_set,
    )
    write_card(model, pretrained_card(done, learnt, start, recipe))
    return done


def batch_plan(learnt: LabelledPictures, recipe: PretrainRecipe, machine: Machine) -> BatchPlan:
    count = min(recipe.photos_per_batch, len(learnt))
    return BatchPlan(
        learnt, count, recipe.views, MEASURED_SIZE_PX, recipe.augmentation, machine.limits, recipe.seed
    )


def _network(recipe: PretrainRecipe, machine: Machine, start: Path | None, label_count: int) -> Trainable:
    layout, weights = (
        read_weights(start) if start else (COMPACT_LAYOUT, random_weights(COMPACT_LAYOUT, recipe.seed))
    )
    if not isinstance(layout, VggLayout):
        raise ModelUnavailable(f"Training does not go on from {layout.name}; take the compact network.")
    with arithmetic(machine.bf16):
        network = Trainable(layout, label_count, recipe.objective, batch_normalisation=start is None)
    network.start_from(weights)
    network.freeze(recipe.frozen_blocks)
    return network


def _pace(recipe: PretrainRecipe, plan: BatchPlan) -> Pace:
    sizes_px = sizes_by_step(recipe.stages, plan.steps_per_epoch)
    measure_every = max(1, len(sizes_px) // recipe.measurements)
    return Pace(
        sizes_px,
        recipe.peak_rate,
        recipe.weight_decay,
        recipe.average_decay,
        average_every=10,
        measure_every=measure_every,
    )


def whiten_head(model: Path, plan: BatchPlan, recipe: PretrainRecipe, machine: Machine) -> None:
    """Gives the weights' file the fc6 of `whitened_head`, learnt from views of the pictures."""
    network = _network(recipe, machine, model, label_count=1)
    layout = network.layout
    photos = min(HEAD_PHOTOS, len(plan.pictures))
    some = replace(plan, size_px=layout.input_size_px, views=HEAD_VIEWS, count=HEAD_BATCH)
    batches = [some.make(step).pixels for step in range(max(1, photos // HEAD_BATCH))]
    vectors = np.concatenate([outputs(network, pixels)["gem"] for pixels in batches])
    kernel, bias = whitened_head(vectors.reshape(-1, HEAD_VIEWS, vectors.shape[-1]), layout.fc6_dim)
    name = layout.fc6_layer
    write_weights(model, network.to_weights() | {f"{name}/kernel": kernel, f"{name}/bias": bias})


def held_out_measure(
    network: Trainable, plan: BatchPlan, held_out: LabelledPictures
) -> Callable[[], Measured]:
    """Measures on the same held-out pictures and the same views of them each time."""
    rng = np.random.default_rng([plan.seed, 1 << 30])
    chosen = rng.permutation(len(held_out))[:MEASURED_PICTURES]
    wholes = held_out.subset(np.sort(chosen))
    pixels, rows, _ = whole_pictures(wholes, MEASURED_SIZE_PX, plan.limits)
    if not len(rows):
        raise UnusablePictures("No held-out picture can be decoded, so nothing could be measured.")
    photos = min(MEASURED_PHOTOS, len(wholes))
    views = replace(plan, pictures=wholes, count=photos, views=2).make(0)

    def measure() -> Measured:
        right = top1(outputs(network, pixels)["logits"], wholes.labels[rows])
        seen = outputs(network, views.pixels)
        found = [
            average_precisions(l2_normalised(seen[name]), views.photos).mean() for name in ("gem", "fc6")
        ]
        instance_map = float(np.mean(found))
        return {"top1": right, "instance_map": instance_map, "score": (right + instance_map) / 2}

    return measure


def held_out_top1(network: Trainable, held_out: LabelledPictures, machine: Machine) -> dict[str, float]:
    """By the name of the set, of all of its held-out pictures; sets without any are left out."""
    sources = np.array([picture.source.stem for picture in held_out.pictures])
    shares = {}
    for name in sorted(set(sources)):
        own = held_out.subset(np.flatnonzero(sources == name))
        pixels, rows, _ = whole_pictures(own, MEASURED_SIZE_PX, machine.limits)
        if len(rows):
            shares[str(name)] = top1(outputs(network, pixels)["logits"], own.labels[rows])
    return shares
