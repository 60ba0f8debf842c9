"""python -m tests.torture [--short] [WORDS…]: tries what is promised of failures, and prints a table."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.torture.bits import changed_bits
from tests.torture.files import odd_files
from tests.torture.level import level_memory
from tests.torture.promise import Outcome, Torture, table
from tests.torture.stops import gateway_stops, killed_builds, program_stops, service_stops
from tests.torture.strangers import hostile_clients

PROMISES: dict[str, Torture] = {
    "Any file gets a typed answer, the same at the page and in the indexer": odd_files,
    "Hostile clients slow others by 3 times at most, and fail none": hostile_clients,
    "A search service that stops loses no search": service_stops,
    "A gateway that stops loses no search": gateway_stops,
    "Both, stopped as make run stops them, lose no search": program_stops,
    "A killed build leaves a whole store, and the next one goes on": killed_builds,
    "Every change of a store's file is found by verify": changed_bits,
    "Memory, descriptors and threads stay level": level_memory,
}
SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where a promise was not held."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few tries of each, in a minute")
    parser.add_argument("words", nargs="*", help="only the promises that hold one of these words")
    options = parser.parse_args(arguments)
    outcomes: dict[str, Outcome] = {}
    for promise, torture in PROMISES.items():
        if options.words and not any(word in promise.lower() for word in options.words):
            continue
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="torture-") as root:
            outcomes[promise] = torture(Path(root), options.short)
        say(f"{promise}: {time.monotonic() - started:.0f} s")
        for failure in outcomes[promise].failures[:SHOWN]:
            say(f"  {failure}")
    say(f"\n{table(outcomes)}")
    return 1 if any(outcome.failures for outcome in outcomes.values()) else 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
