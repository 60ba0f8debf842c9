"""What is promised, how often it was tried, and where it failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Outcome:
    """Of one promise."""

    tried: int = 0
    failures: list[str] = field(default_factory=list)
    """One line each."""
    note: str = ""
    """What was measured by the way."""

    def check(self, held: bool, failure: str) -> None:
        """Counts one try. failure: what to say where it was not held."""
        self.tried += 1
        if not held:
            self.failures.append(failure)


Torture = Callable[[Path, bool], Outcome]
"""Takes an empty folder, and whether some seconds must do."""


def table(outcomes: dict[str, Outcome]) -> str:
    """Markdown, one row for each promise."""
    rows = [
        f"| {promise} | {outcome.tried:,} | {len(outcome.failures):,} | {outcome.note} |"
        for promise, outcome in outcomes.items()
    ]
    return "\n".join(["| promise | tried | failed | measured |", "| --- | --- | --- | --- |", *rows])
