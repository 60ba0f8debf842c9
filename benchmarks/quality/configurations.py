"""What is measured: settings of the indexer, and ways to search in what it built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Options = tuple[str, ...]
"""Names of the options a search is asked with."""

PLAIN: Options = ()
EXPANDED: Options = ("expand",)
VERIFIED: Options = ("verify",)
BOTH: Options = ("verify", "expand")


OTHER_SIZES_PX = (224, 320)
"""Long sides at which gem is measured beside the indexer's default."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One store per set of photos."""

    name: str
    settings: Mapping[str, str]
    """Of the indexer: names without INDEXER_ in lower case. Local features are kept where it is verified."""
    network: bool = True
    """Whether it describes by a network; then it is measured with each."""
    searches: tuple[Options, ...] = (PLAIN,)
    quick: bool = False
    """Whether it is part of a quick run."""


def pooled(name: str, whitening: bool, long_side_px: int | None = None, quick: bool = False) -> Configuration:
    """long_side_px: of the photo in the network; None for the indexer's default."""
    settings = {"descriptor": name, "whitening": str(whitening).lower()}
    title = f"{name}, whitened" if whitening else name
    if long_side_px is not None:
        settings["long_side_px"] = str(long_side_px)
        title += f", {long_side_px} px"
    return Configuration(title, settings, quick=quick)


CONFIGURATIONS = (
    Configuration(
        "embedding",
        {"descriptor": "auto"},
        searches=(PLAIN, EXPANDED, VERIFIED, BOTH),
        quick=True,
    ),
    *(pooled(name, whitening) for name in ("spoc", "mac") for whitening in (False, True)),
    pooled("rmac", whitening=False),
    Configuration(
        "rmac, whitened",
        {"descriptor": "rmac", "whitening": "true"},
        searches=(PLAIN, VERIFIED, BOTH),
    ),
    Configuration(
        "gem",
        {"descriptor": "gem", "whitening": "false"},
        searches=(PLAIN, EXPANDED),
        quick=True,
    ),
    Configuration(
        "gem, whitened",
        {"descriptor": "gem", "whitening": "true"},
        searches=(PLAIN, EXPANDED, VERIFIED, BOTH),
    ),
    Configuration(
        "gem, whitened, 3 sizes",
        {"descriptor": "gem", "whitening": "true", "multi_scale": "true"},
        searches=(PLAIN, EXPANDED, VERIFIED, BOTH),
    ),
    *(pooled("gem", whitening, px) for px in OTHER_SIZES_PX for whitening in (False, True)),
    Configuration(
        "bof",
        {"descriptor": "bof"},
        network=False,
        searches=(PLAIN, VERIFIED),
    ),
    Configuration("vlad", {"descriptor": "vlad"}, network=False),
    Configuration(
        "temb",
        {"descriptor": "temb"},
        network=False,
        searches=(PLAIN, EXPANDED, VERIFIED, BOTH),
        quick=True,
    ),
)


def named(name: str) -> Configuration:
    return next(configuration for configuration in CONFIGURATIONS if configuration.name == name)
