"""python -m training: finetune."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from imagesearch.errors import ImageSearchError, InvalidOption
from imagesearch.host.command_line import (
    BAD_USAGE,
    FAILED,
    FINE,
    INTERRUPTED,
    fail,
    first_problem,
    interruptible,
    say,
    say_json,
)
from training import console
from training.arguments import finetune_recipe, parser
from training.settings import TrainingSettings

PROGRAM = "training"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 fine, 1 failed or nothing improved, 2 bad usage, 130 interrupted."""
    options = parser().parse_args(arguments)
    try:
        settings = TrainingSettings()
    except ValidationError as error:
        return fail(PROGRAM, first_problem(error, TrainingSettings), BAD_USAGE)
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    _prepare_keras(settings.threads)
    try:
        with interruptible():
            return _COMMANDS[options.command](options, settings)
    except KeyboardInterrupt:
        return fail(
            PROGRAM, "Interrupted; the same command again goes on from the last checkpoint.", INTERRUPTED
        )
    except InvalidOption as error:
        return fail(PROGRAM, str(error), BAD_USAGE)
    except ImageSearchError as error:
        return fail(PROGRAM, str(error), FAILED)
    except OSError as error:
        return fail(PROGRAM, f"{error.filename or options.out} cannot be used: {error.strerror}.", FAILED)


def _finetune(options: argparse.Namespace, settings: TrainingSettings) -> int:
    recipe = finetune_recipe(options)
    from training.finetune import finetune  # Keras takes seconds to load: not for --help or a bad option
    from training.machine import machine_of

    with console.bars() as bar:
        done = finetune(
            options.images, settings.weights_of(options.model), options.out, recipe, machine_of(settings), bar
        )
    _report(options, asdict(done), console.finetuned_text(done))
    return FINE if done.model else FAILED


def _report(options: argparse.Namespace, value: dict[str, Any], text: str) -> None:
    if options.json:
        say_json(value)
    else:
        say(text)


_COMMANDS = {"finetune": _finetune}


def _prepare_keras(threads: int) -> None:
    """Before Keras is imported, for it reads these then."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if threads:
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            os.environ[name] = str(threads)


if __name__ == "__main__":
    sys.exit(main())
