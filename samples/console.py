"""What the command says to a person, or to a script."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

BAR_COLUMNS = 30
CLEAR_LINE = "\r\x1b[K"

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is in all."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def say_json(value: dict[str, Any]) -> None:
    say(json.dumps(value))


def complain(sentence: str) -> None:
    """One line on stderr, in the place of a progress bar that was not finished."""
    sys.stderr.write(f"{CLEAR_LINE if sys.stderr.isatty() else ''}samples: {sentence}\n")


def progress_bar(label: str, in_units: Callable[[int], str] = str) -> Progress:
    """A function that redraws one line as work is done; a silent one where stderr is not a terminal."""
    if not sys.stderr.isatty():
        return lambda done, total: None
    shown = ""

    def redraw(done: int, total: int) -> None:
        nonlocal shown
        filled = BAR_COLUMNS * done // total
        bar = "█" * filled + "░" * (BAR_COLUMNS - filled)
        line = f"{label} {bar} {in_units(done)} of {in_units(total)}"
        if line != shown:
            sys.stderr.write(f"\r{line}{'' if done < total else chr(10)}")
            sys.stderr.flush()
        shown = line

    return redraw


def megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f} MB"
