"""Colours of any kind to sRGB, by LittleCMS and the ICC profile that comes with a file or is made for it."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
SRGB_TOLERANCE = 3
"""A profile that changes no colour by more, of 255, is one of the many forms of sRGB: nothing is done."""
MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
"""From the colours that a profile describes to Pillow's mode."""
CONVERTIBLE = frozenset({"1", "L", "P", "RGB", "YCbCr"})
"""Modes of what a profile for RGB may describe as well: greys and palettes."""


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The image as RGB, or as RGBA where it has transparency.

    A profile that is empty, damaged or made for other colours is passed over.
    """
    if not image.has_transparency_data:
        return _opaque_to_srgb(image, profile)
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    srgb = _opaque_to_srgb(image.convert("RGB"), profile) if profile else image
    if profile:
        srgb.putalpha(image.getchannel("A"))
    return srgb


def is_srgb(profile: bytes, mode: str) -> bool:
    """True if colours in this mode stay as they are."""
    return not profile or _transform(profile, mode) is None


def _opaque_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    source = LAB if image.mode == "LAB" else _opened(profile)
    mode = MODES.get(source.profile.xcolor_space.strip(), "") if source else ""
    if mode == "RGB" and image.mode in CONVERTIBLE:
        image = image if image.mode == "RGB" else image.convert("RGB")
    transform = _transform(profile, mode) if mode == image.mode else None
    if transform:
        return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


@lru_cache(maxsize=16)
def _opened(profile: bytes) -> ImageCms.ImageCmsProfile | None:
    if not profile:
        return None
    try:
        return ImageCms.ImageCmsProfile(BytesIO(profile))
    except (ImageCms.PyCMSError, OSError):
        return None


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What turns an image of this mode to sRGB; None where nothing would change or the profile is damaged."""
    source = LAB if mode == "LAB" else _opened(profile)
    if source is None:
        return None
    try:
        transform = ImageCms.buildTransform(source, SRGB, mode, "RGB")
    except ImageCms.PyCMSError:
        return None
    return None if _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode not in {"RGB", "L"}:
        return False
    shades = np.linspace(0, 255, 17).astype(np.uint8)
    colours = np.stack(np.meshgrid(shades, shades, shades), axis=-1).reshape(17, -1, 3)
    before = Image.fromarray(colours).convert(mode)
    after = np.asarray(transform.apply(before), np.int16)
    return bool(np.abs(after - np.asarray(before.convert("RGB"))).max() <= SRGB_TOLERANCE)
