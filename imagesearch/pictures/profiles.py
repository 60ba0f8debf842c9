"""ICC profiles of what files say of their colours in other words.

PNG's gAMA and cHRM; the code points of PNG's cICP and of the nclx box in AVIF and HEIC (ITU-T H.273). High
dynamic range is brought down to what sRGB can show.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SRGB_CHROMATICITIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""x and y of white, red, green and blue."""
CHROMATICITIES = {
    1: SRGB_CHROMATICITIES,
    4: (0.3101, 0.3162, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (0.3127, 0.3290, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (0.3127, 0.3290, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.3140, 0.3510, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (0.3127, 0.3290, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
"""By the code points of H.273, table 2."""
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
"""By the code points of H.273, table 3; what is not here is taken as sRGB's curve."""
PQ, HLG = 16, 18

SRGB_GAMMA = 1 / 2.2
GAMMA_TOLERANCE = 0.05
"""As in libpng (PNG_GAMMA_THRESHOLD)."""
CHROMATICITY_TOLERANCE = 0.005

WHITE_NITS = 203.0
"""Luminance of white paper in high dynamic range (ITU-R BT.2408)."""
PEAK_NITS = 1000.0
KNEE = 0.8
"""Share of white's luminance up to which nothing changes; all that is brighter shares the rest."""

D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""From XYZ to the cones' responses in which one white is adapted to another (ICC.1, annex E)."""


def png_profile(chromaticities: bytes, gamma: bytes) -> bytes:
    """The profile of the bodies of a cHRM and a gAMA chunk, either perhaps empty; empty if they are sRGB."""
    points, exponent = SRGB_CHROMATICITIES, SRGB_GAMMA
    if len(chromaticities) == 32:
        points = tuple(value / 100_000 for value in struct.unpack(">8I", chromaticities))
    if len(gamma) == 4:
        exponent = int.from_bytes(gamma, "big") / 100_000
    if not 0.05 <= exponent <= 20:
        return b""
    curve = _srgb_curve() if abs(exponent / SRGB_GAMMA - 1) <= GAMMA_TOLERANCE else _power(1 / exponent)
    if curve == _srgb_curve() and np.allclose(points, SRGB_CHROMATICITIES, atol=CHROMATICITY_TOLERANCE):
        return b""
    return _matrix_profile(points, curve)


@lru_cache(maxsize=16)
def code_point_profile(primaries: int, transfer: int) -> bytes:
    """The profile of H.273's code points; empty where they are sRGB or say nothing."""
    points = CHROMATICITIES.get(primaries, SRGB_CHROMATICITIES)
    if transfer in {PQ, HLG}:
        return _matrix_profile(points, _table(_shown(_luminance(transfer))))
    curve = _power(GAMMAS[transfer]) if transfer in GAMMAS else _srgb_curve()
    if points == SRGB_CHROMATICITIES and transfer not in GAMMAS:
        return b""
    return _matrix_profile(points, curve)


def _luminance(transfer: int) -> NDArray[np.float64]:
    """Of 4,096 signals from 0 to 1, in shares of the luminance of white (ITU-R BT.2100, tables 4 and 5)."""
    signal = np.linspace(0, 1, 4096)
    if transfer == HLG:
        scene = np.where(
            signal <= 0.5, signal**2 / 3, (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
        )
        return scene**1.2 * PEAK_NITS / WHITE_NITS
    root = signal ** (4096 / 2523 / 128)
    return (
        (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (16384 / 2610)
        * 10_000
        / WHITE_NITS
    )


def _shown(luminance: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a screen shows whose brightest is white: Reinhard's curve (2002, eq. 4) from the knee up."""
    above = np.maximum(luminance - KNEE, 0) / (1 - KNEE)
    peak = (PEAK_NITS / WHITE_NITS - KNEE) / (1 - KNEE)
    compressed = KNEE + (1 - KNEE) * above * (1 + above / peak**2) / (1 + above)
    return np.minimum(np.where(luminance <= KNEE, luminance, compressed), 1)


def _matrix_profile(points: tuple[float, ...], curve: bytes) -> bytes:
    """A profile of three primaries and one curve (ICC.1:2022, 8.3.3); empty if the primaries span nothing."""
    columns = _primaries_at_d50(points)
    if columns is None:
        return b""
    tags = {
        b"wtpt": _xyz(D50),
        b"rXYZ": _xyz(columns[0]),
        b"gXYZ": _xyz(columns[1]),
        b"bXYZ": _xyz(columns[2]),
    }
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    table, bodies = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x3i48x",
        128 + len(table) + len(bodies),
        0x04300000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
        b"acsp",
        *(_fixed(value) for value in D50),
    )
    return header + table + bodies


def _primaries_at_d50(points: tuple[float, ...]) -> NDArray[np.float64] | None:
    """XYZ of red, green and blue, in rows, so that together they are the white of D50."""
    if min(points[1::2]) <= 0:
        return None
    white, *primaries = (
        np.array([x / y, 1, (1 - x - y) / y]) for x, y in zip(points[::2], points[1::2], strict=True)
    )
    try:
        amounts = np.linalg.solve(np.transpose(primaries), white)
    except np.linalg.LinAlgError:
        return None
    adaptation = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ white)) @ BRADFORD
    columns: NDArray[np.float64] = (amounts[:, None] * np.array(primaries)) @ adaptation.T
    return columns if np.isfinite(columns).all() and np.abs(columns).max() < 4 else None


def _fixed(value: float) -> int:
    return round(value * 65536)


def _xyz(values: tuple[float, ...] | NDArray[np.float64]) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(_fixed(value) for value in values))


def _power(exponent: float) -> bytes:
    return b"para" + struct.pack(">4xH2xi", 0, _fixed(exponent))


def _srgb_curve() -> bytes:
    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return b"para" + struct.pack(">4xH2x5i", 3, *(_fixed(number) for number in numbers))


def _table(values: NDArray[np.float64]) -> bytes:
    samples = np.round(values * 65535).astype(">u2")
    return b"curv" + struct.pack(">4xI", len(samples)) + samples.tobytes()
