"""Painting on pottery, by the angle around the vessel (-0.5 to 0.5) and the place along its axis (0 to 1)."""

from __future__ import annotations

import numpy as np

from samples.canvas import Field, blend, smoothstep

RINGS = ((0.04, 0.006), (0.2, 0.005), (0.26, 0.012), (0.82, 0.012), (0.86, 0.004), (0.94, 0.01))
"""Height and half width of each painted ring."""
PEONIES = ((-0.28, 0.46), (0.06, 0.58), (0.34, 0.43), (-0.1, 0.72), (0.24, 0.74), (-0.4, 0.68))


def porcelain(ground: Field, ink: Field, wash: Field, around: Field, v: Field, brush: Field) -> Field:
    """Blue under a white glaze: rings, peonies on a vine, leaves. `brush`: how dense the ink is."""
    lines = smoothstep(0.012, 0.006, np.abs(v - 0.55 - 0.13 * np.sin(around * 13)) * (v > 0.3))
    for height, half in RINGS:
        lines = np.maximum(lines, smoothstep(half, half * 0.6, np.abs(v - height)))
    for turn, height in PEONIES:
        lines = np.maximum(lines, _peony((around - turn) * 1.15, v - height))
    twigs = np.sin(around * 39) * np.sin(v * 47 + 3 * np.sin(around * 13))
    leaves = smoothstep(0.86, 0.95, twigs) * smoothstep(0.3, 0.34, v) * smoothstep(0.8, 0.76, v)
    collar = smoothstep(0.2, 0.6, np.sin(around * 50)) * smoothstep(0.06, 0.07, v) * smoothstep(0.18, 0.17, v)
    washed = blend(ground, wash, np.clip(0.6 * leaves + 0.7 * collar, 0, 1))
    return blend(washed, ink, lines * brush)


def _peony(dx: Field, dy: Field) -> Field:
    """Six petals in two tones."""
    radius = np.hypot(dx, dy) / 0.085
    outline = 0.8 + 0.2 * np.cos(6 * np.arctan2(dy, dx))
    return smoothstep(1, 0.9, radius / outline) * (0.35 + 0.65 * (np.sin(radius * 11) > 0.1))


def figures(clay: Field, ink: Field, pale: Field, around: Field, v: Field) -> Field:
    """Black on red clay: wide bands, a meander, a chain of ovals, rays above the foot."""
    bands = (v < 0.05) | ((v > 0.16) & (v < 0.29)) | ((v > 0.52) & (v < 0.68)) | (v > 0.96)
    lines = (np.abs(v - 0.45) < 0.012) | (np.abs(v - 0.74) < 0.01)
    rays = (v > 0.78) & (v < 0.95) & (np.abs(np.mod(around * 9, 1) - 0.5) < (v - 0.78) * 2.6)
    key, level = np.mod(around * 12, 1), np.abs(v - 0.36)
    hollow = (np.abs(key - 0.5) < 0.3) & (level < 0.025) & ~((np.abs(key - 0.62) < 0.1) & (v > 0.34))
    painted = bands | lines | rays | ((level < 0.045) & ~hollow)
    ovals = (np.abs(v - 0.6) < 0.05) & (np.hypot(np.mod(around * 14, 1) - 0.5, (v - 0.6) * 9) < 0.36)
    return blend(blend(clay, ink, painted * 1.0), pale, ovals * 1.0)
