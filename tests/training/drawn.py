"""Small labelled pictures that a network can learn to tell apart, drawn in no time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"reds": (200, 40, 40), "greens": (40, 180, 60), "blues": (40, 60, 200)}


def draw_labels(folder: Path, counts: dict[str, int], size_px: int = 48) -> Path:
    """A folder of stripes for each label of COLOURS, as many pictures as `counts` says."""
    rng = np.random.default_rng(4)
    for label, count in counts.items():
        (folder / label).mkdir(parents=True)
        for number in range(count):
            rgb = rng.normal(COLOURS[label], 45, (size_px, size_px, 3))
            rgb[:, :: int(rng.integers(2, 9))] *= rng.uniform(0.3, 0.9)
            Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).save(folder / label / f"{number}.png")
    return folder
