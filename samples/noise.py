"""Random fields: the texture of clouds, water, stone and bark.

Every field has zero mean and unit standard deviation, so that thresholds read as in statistics: about a
sixth of the area is above 1.
"""

from __future__ import annotations

import numpy as np

from samples.canvas import Field, Size, resize


def fractal(rng: np.random.Generator, size: Size, cells: Size, octaves: int = 6, gain: float = 0.5) -> Field:
    """Fractal value noise: `cells` random values across the first octave, each next one twice as fine.

    Built as a pyramid (enlarge, add finer noise): all octaves together cost little more than the last.
    """
    columns, rows = cells
    field = rng.standard_normal((rows, columns), np.float32)
    amplitude = 1.0
    for _ in range(octaves - 1):
        if field.shape[0] >= size[1] and field.shape[1] >= size[0]:
            break
        amplitude *= gain
        rows, columns = field.shape[0] * 2, field.shape[1] * 2
        field = resize(field, (columns, rows)) + np.float32(amplitude) * rng.standard_normal(
            (rows, columns), np.float32
        )
    return _standardised(resize(field, size))


def ridged(rng: np.random.Generator, size: Size, cells: Size, octaves: int = 6, gain: float = 0.5) -> Field:
    """Ridged multifractal noise (Musgrave): sharp crests, finer detail on them than in the valleys."""
    total = np.zeros((size[1], size[0]), np.float32)
    weight: Field = np.ones_like(total)
    for octave in range(octaves):
        columns, rows = cells[0] << octave, cells[1] << octave
        if columns > size[0] and rows > size[1]:
            break
        layer = resize(rng.standard_normal((rows, columns), np.float32), size)
        crest = np.maximum(1 - np.abs(layer), 0) ** 2 * weight
        total += crest * np.float32(gain**octave)
        weight = np.clip(crest * 2, 0, 1)
    return _standardised(total)


def _standardised(field: Field) -> Field:
    standard: Field = (field - field.mean()) / (field.std() + np.float32(1e-6))
    return standard
