"""python -m training: finetune."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict

from pydantic import ValidationError
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

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
from imagesearch.host.logs import set_up_logging
from training.arguments import finetune_recipe, parser
from training.recipes import Finetuned
from training.settings import TrainingSettings

PROGRAM = "training"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 fine, 1 failed or nothing improved, 2 bad usage, 130 interrupted."""
    options = parser().parse_args(arguments)
    try:
        settings = TrainingSettings()
    except ValidationError as error:
        return fail(PROGRAM, first_problem(error, TrainingSettings), BAD_USAGE)
    set_up_logging(settings.log_level, "text")
    _prepare_keras(settings.threads)
    try:
        with interruptible():
            return _finetune(options, settings)
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

    start = settings.weights_of(options.model)
    with _bars() as bar:
        done = finetune(
            options.images, start, options.out, recipe, settings.precision, settings.limits(), bar
        )
    if options.json:
        say_json(asdict(done))
    else:
        say(_told(done))
    return FINE if done.model else FAILED


@contextmanager
def _bars() -> Iterator[Callable[[str, int], Callable[[int], object]]]:
    """Opens progress bars, one after the other, where somebody is watching."""
    with ExitStack() as opened, logging_redirect_tqdm():

        def bar(what: str, total: int) -> Callable[[int], object]:
            hidden = not sys.stderr.isatty()
            return opened.enter_context(tqdm(total=total, desc=what, disable=hidden)).update

        yield bar


def _told(done: Finetuned) -> str:
    measured = done.comparison
    lines = [
        f"{done.descriptor} mAP of {measured.queries} held-out photos: {measured.before:.3f} before, "
        f"{measured.after:.3f} after {done.steps} steps in {done.seconds / 60:.1f} minutes; difference "
        f"{measured.low:+.3f} to {measured.high:+.3f} with 95 % confidence."
    ]
    if done.left_out:
        few = ", ".join(f"{name} ({count})" for name, count in done.left_out.items())
        lines.append(f"Left out, having too few photos: {few}.")
    if done.unreadable:
        lines.append(f"{len(done.unreadable)} photos cannot be decoded, {done.unreadable[0]} the first.")
    lines.append(
        f"Use it with INDEXER_MODEL={done.model} and a new store."
        if done.model
        else "No improvement was measured, so no model was written."
    )
    return "\n".join(lines)


def _prepare_keras(threads: int) -> None:
    """Before Keras is imported, for it reads these then."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if threads:
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
            os.environ[name] = str(threads)


if __name__ == "__main__":
    sys.exit(main())
