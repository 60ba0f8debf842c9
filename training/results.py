"""What came out of training. Nothing here loads Keras."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean average precision of the same queries before and after."""

    before: float
    after: float
    low: float
    high: float
    """The difference lies between them, with 95 % confidence."""
    queries: int

    @property
    def is_better(self) -> bool:
        """Not by chance: with another draw of queries it would be better too."""
        return self.low > 0


@dataclass(frozen=True, slots=True)
class Finetuned:
    """What was done and what was measured."""

    model: str | None
    """Path of the weights' file; None where no improvement was measured: then there is none."""
    sha256: str | None
    comparison: Comparison
    descriptor: str
    steps: int
    seconds: float
    photos_per_label: dict[str, int]
    """Learnt from."""
    left_out: dict[str, int]
    """Labels with too few photos, and how many they have."""
    unreadable: list[str]
