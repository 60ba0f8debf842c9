"""The names of the global descriptors, and what can be chosen about them.

A store remembers both, because other choices give other descriptors.
"""

from __future__ import annotations

from dataclasses import dataclass

NETWORK_KINDS = ("fc6", "embedding", "spoc", "mac", "rmac", "gem")
LOCAL_KINDS = ("bof", "vlad", "temb")
KINDS = (*NETWORK_KINDS, *LOCAL_KINDS)
SPARSE_KINDS = ("bof",)
"""Of whose values nearly all are zero: an inverted file of the others is searched."""


@dataclass(frozen=True, slots=True)
class DescriptorSettings:
    """Of one store. What its descriptor does not use has its default."""

    long_side_px: int = 0
    """Of the network input of spoc, mac, rmac and gem."""
    multi_scale: bool = False
    """Whether those are taken of three sizes of the picture."""
    whitening: bool = False
    """Whether theirs are whitened."""
    words: int = 0
    """Visual words of bof, vlad and temb."""


DEFAULT_SETTINGS = DescriptorSettings()
