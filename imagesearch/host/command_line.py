"""What all commands share: the help on settings, the exit codes, the one line on failure."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings

FINE, FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130


def settings_help(settings: type[BaseSettings]) -> str:
    """Each environment variable with its default and its description."""
    lines = ["settings, from the environment:"]
    for name, field in settings.model_fields.items():
        default = "none" if field.default is None else field.default
        lines.append(f"  {_variable(settings, name)} ({default})\n      {field.description}")
    return "\n".join(lines)


def first_problem(error: ValidationError, settings: type[BaseSettings]) -> str:
    """One line: which setting, and what is wrong with it. Never the value, which may be a secret."""
    problem = error.errors()[0]
    sentence = problem["msg"].removeprefix("Value error, ") + "."
    if not problem["loc"]:
        return sentence
    return f"{_variable(settings, str(problem['loc'][0]))}: {sentence}"


def say(text: str) -> None:
    sys.stdout.write(f"{_shown(text, sys.stdout.encoding)}\n")


def say_json(value: dict[str, Any]) -> None:
    say(json.dumps(value, ensure_ascii=False))


def fail(program: str, sentence: str, code: int = FAILED) -> int:
    """Says one line on stderr and returns the exit code."""
    sys.stderr.write(f"{program}: {_shown(sentence, sys.stderr.encoding)}\n")
    return code


def _shown(text: str, encoding: str | None) -> str:
    """What the terminal can show, and nothing that it would obey: names of files may hold anything."""
    harmless = "".join(each if each.isprintable() or each in "\n\t" else ascii(each)[1:-1] for each in text)
    encoding = encoding or "utf-8"
    return harmless.encode(encoding, "backslashreplace").decode(encoding)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM interrupt once; what cleans up after the first is not interrupted again."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, interrupt)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _variable(settings: type[BaseSettings], field_name: str) -> str:
    field = settings.model_fields.get(field_name)
    alias = field.validation_alias if field else field_name
    return str(alias or f"{settings.model_config['env_prefix']}{field_name}".upper())
