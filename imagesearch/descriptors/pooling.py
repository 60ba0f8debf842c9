"""From a convolutional map to a few vectors: the poolings of image retrieval.

Each takes a map of shape=(H, W, C), dtype=float32, >= 0, and returns shape=(R, C), dtype=float32, not
normalised; R is 1 but for `rmac`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GEM_EXPONENT = 3.0
"""p of the untrained GeM (Radenović et al. 2018, section 3.2)."""

RMAC_SCALES = 3
"""L, the paper's choice (Tolias et al. 2016, section 5.1)."""

RMAC_OVERLAP = 0.4
_RMAC_MOST_ALONG = 7


def spoc(conv_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum pooling with a centre prior.

    Babenko & Lempitsky, "Aggregating deep convolutional features for image retrieval", ICCV 2015, section
    4.2: ψ = Σ_y Σ_x α(x, y) f(x, y), α = exp(−((y − H/2)² + (x − W/2)²) / 2σ²), σ a third of the way from
    the centre to the nearest border. Cells are taken at their centres.
    """
    height, width, _ = conv_map.shape
    sigma = min(height, width) / 2 / 3
    y = np.arange(height, dtype=np.float32)[:, None] + 0.5 - height / 2
    x = np.arange(width, dtype=np.float32)[None, :] + 0.5 - width / 2
    prior = np.exp(-(y**2 + x**2) / (2 * sigma**2))
    return np.asarray(np.einsum("hw,hwc->c", prior, conv_map)[None], dtype=np.float32)


def mac(conv_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maximum activations of convolutions: Tolias, Sicre & Jégou, ICLR 2016, section 3.1."""
    return np.asarray(conv_map.max(axis=(0, 1))[None])


def gem(conv_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """Generalised mean: Radenović, Tolias & Chum, "Fine-tuning CNN image retrieval with no human annotation",
    TPAMI 2018, section 3.2: (mean of x^p)^(1/p), between the mean (p = 1) and the maximum (p → ∞)."""
    mean = (conv_map**GEM_EXPONENT).mean(axis=(0, 1))
    return np.asarray(mean ** (1 / GEM_EXPONENT), dtype=np.float32)[None]


def rmac(conv_map: NDArray[np.float32]) -> NDArray[np.float32]:
    """Regional MAC: the maximum over each square of `rmac_grid`. Tolias et al. 2016, section 3.2."""
    height, width, _ = conv_map.shape
    squares = rmac_grid(height, width)
    return np.stack([conv_map[y : y + side, x : x + side].max(axis=(0, 1)) for y, x, side in squares])


def rmac_grid(height: int, width: int, scales: int = RMAC_SCALES) -> list[tuple[int, int, int]]:
    """Squares (top, left, side) in cells, at scales l = 1 … L: side 2 min(H, W) / (l + 1), l along the short
    side, l + m − 1 along the long one, evenly, m such that neighbours at l = 1 overlap by nearly 40 %.

    A scale whose squares would be smaller than one cell is left out.
    """
    short, long = sorted((height, width))
    along = _squares_along(short, long)
    squares = []
    for scale in range(1, scales + 1):
        side = 2 * short // (scale + 1)
        if side < 1:
            break
        rows, columns = (scale, scale + along - 1) if height <= width else (scale + along - 1, scale)
        squares += [(y, x, side) for y in _starts(height, side, rows) for x in _starts(width, side, columns)]
    return squares


def _squares_along(short: int, long: int) -> int:
    """m: how many squares of the short side cover the long side."""
    if short == long:
        return 1
    overlaps = {m: 1 - (long - short) / (m - 1) / short for m in range(2, _RMAC_MOST_ALONG + 1)}
    return min(overlaps, key=lambda m: abs(overlaps[m] - RMAC_OVERLAP))


def _starts(length: int, side: int, count: int) -> list[int]:
    """Where `count` intervals of `side` begin, from one end to the other."""
    if count == 1:
        return [(length - side) // 2]
    return [int(place * (length - side) / (count - 1)) for place in range(count)]
