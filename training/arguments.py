"""The command line and the environment, as recipes and settings."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from imagesearch.backbones.cards import EFFICIENTNET_LITE0
from imagesearch.host.command_line import settings_help
from training.recipes import DescriptorName, FinetuneRecipe, LossName
from training.settings import TrainingSettings


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        prog="python -m training",
        description="Trains the networks that describe photos.",
        epilog="exit codes: 0 fine, 1 failed or no improvement measured, 2 bad usage, 130 interrupted\n\n"
        + settings_help(TrainingSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_finetune(commands)
    return whole


def _add_finetune(commands: Any) -> None:
    usual = FinetuneRecipe()
    does = "adapt a network to one's own photos, one folder per label"
    command = commands.add_parser("finetune", help=does, description=f"{does[0].upper()}{does[1:]}.")
    command.add_argument("--images", type=_path, required=True, help="folder with one folder per label")
    command.add_argument(
        "--out",
        type=_path,
        default=Path("var/training/finetune"),
        help="folder of the run, to begin it or to go on with it (default var/training/finetune)",
    )
    command.add_argument(
        "--model",
        default=EFFICIENTNET_LITE0.name,
        help="efficientnet-lite0 (the default), vgg16 (VGG16_WEIGHTS=file.h5), or a weights' file",
    )
    command.add_argument("--loss", choices=get_args(LossName), default=usual.loss)
    command.add_argument(
        "--descriptor",
        choices=get_args(DescriptorName),
        default=usual.descriptor,
        help="what is adapted and measured: whole, the descriptor that the network has by default, or gem",
    )
    _add_number(command, "--epochs", usual.epochs, "how often each photo is seen, on average")
    _add_number(command, "--rate", usual.peak_rate, "highest learning rate")
    _add_number(command, "--frozen-blocks", usual.frozen_blocks, "of the first that keep their weights")
    _add_number(command, "--held-out", usual.held_out_share, "share of the photos to measure with")
    _add_number(command, "--seed", usual.seed, "of every random choice")
    command.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def _add_number(command: argparse.ArgumentParser, name: str, usual: float, what: str) -> None:
    kind: Callable[[str], float] = type(usual)

    def number(text: str) -> float:
        value = kind(text)
        if not 0 <= value < 1e6:
            raise argparse.ArgumentTypeError("must be at least 0")
        return value

    command.add_argument(name, type=number, default=usual, help=f"{what} (default {usual})")


def finetune_recipe(options: argparse.Namespace) -> FinetuneRecipe:
    return FinetuneRecipe(
        loss=options.loss,
        descriptor=options.descriptor,
        frozen_blocks=options.frozen_blocks,
        epochs=options.epochs,
        peak_rate=options.rate,
        held_out_share=options.held_out,
        seed=options.seed,
    )


def _path(text: str) -> Path:
    """Not the current folder where a shell's variable is unset."""
    if not text:
        raise argparse.ArgumentTypeError("it names nothing; for the current folder give .")
    return Path(text)
