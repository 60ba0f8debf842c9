"""`python -m benchmarks.quality`: prints one table, writes var/benchmarks/quality.json.

Needs the evaluation photos: a folder with holidays/ and corel1k/, or any folder with a ground-truth file.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.quality.alterations import alteration_table
from benchmarks.quality.baselines import RANDOM_DRAWS, random_network
from benchmarks.quality.configurations import CONFIGURATIONS, PLAIN, VERIFIED, Configuration, Options, named
from benchmarks.quality.duplicates import duplicates_table
from benchmarks.quality.expansions import expansion_table
from benchmarks.quality.learnt_elsewhere import learnt_elsewhere_table
from benchmarks.quality.likenesses import likeness_table
from benchmarks.quality.measuring import Measured, measure, measure_colours
from benchmarks.quality.phone_queries import phone_table
from benchmarks.quality.photo_sets import PhotoSet, own_set, published_sets
from benchmarks.quality.stores import BuildFailed, store_of
from benchmarks.quality.tables import markdown, progress_line, save
from benchmarks.retrieval import GroundTruthError

QUICK_QUERIES = 50
UNTRAINED = ("embedding", "gem")
"""Configurations that are measured with random weights too."""


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 fine, 1 failed."""
    options = _parser().parse_args(argv)
    try:
        sets = [own_set(options.truth)] if options.truth else published_sets(_evaluation_photos(options))
        if options.likeness:
            sys.stdout.write(likenesses(sets[0], sets[1], options.networks[0]))
            return 0
        if options.phone:
            sys.stdout.write(phone_table(sets[0], sets[1], options.networks[0]))
            return 0
        if options.duplicates:
            sys.stdout.write(duplicates_table(sets[0], options.networks[0]))
            return 0
        if options.quick:
            sets = [photos.first(QUICK_QUERIES) for photos in sets]
        rows = []
        for row in _measured(options, sets):
            sys.stdout.write(progress_line(row) + "\n")
            sys.stdout.flush()
            rows.append(row)
    except (GroundTruthError, BuildFailed) as error:
        sys.stderr.write(f"benchmarks.quality: {error}\n")
        return 1
    save(rows)
    sys.stdout.write("\n" + markdown(rows, [photos.name for photos in sets]))
    if not (options.truth or options.quick or options.only):
        _study(sets[0], sets[1], options.networks[0])
    return 0


def _study(holidays: PhotoSet, corel: PhotoSet, model: str) -> None:
    """Six questions more, on stores that have been measured."""
    gem, temb, embedding = (named(name) for name in ("gem", "temb", "embedding"))
    expanded = [
        (holidays, "temb", store_of(holidays, temb, model, temb.searches)),
        (corel, "gem", store_of(corel, gem, model, gem.searches)),
    ]
    sys.stdout.write("\n" + expansion_table(expanded))
    sys.stdout.write("\n" + learnt_elsewhere_table(holidays, corel, model))
    altered = {
        f"{each.name}{' + verify' if searched else ''}": (
            store_of(holidays, each, model, each.searches),
            searched,
        )
        for each in (embedding, temb)
        for searched in (PLAIN, VERIFIED)
    }
    sys.stdout.write("\n" + alteration_table(holidays, altered))
    sys.stdout.write("\n" + likenesses(holidays, corel, model))
    sys.stdout.write("\n" + phone_table(holidays, corel, model))
    sys.stdout.write("\n" + duplicates_table(holidays, model))


def likenesses(holidays: PhotoSet, corel: PhotoSet, model: str) -> str:
    """With local features in both, so that the words may rest on geometry."""
    embedding = named("embedding")
    return likeness_table(
        [(photos, store_of(photos, embedding, model, (VERIFIED,))) for photos in (holidays, corel)]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description="Measures how well each configuration retrieves, through the indexer and the engine.",
    )
    names = [configuration.name for configuration in CONFIGURATIONS]
    listed = f"some of: {'; '.join(names)}"
    parser.add_argument("--photos", type=Path, help="folder of holidays/ and corel1k/; default EVAL_PHOTOS")
    parser.add_argument("--truth", type=Path, help="a ground-truth file instead, in the folder of its photos")
    parser.add_argument("--networks", nargs="+", default=["efficientnet-lite0"], help="as INDEXER_MODEL")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=listed)
    parser.add_argument("--quick", action="store_true", help="the main ones, with 50 queries a set")
    parser.add_argument("--likeness", action="store_true", help="only what the words of likeness are worth")
    parser.add_argument("--phone", action="store_true", help="only photos by phone of flat pictures")
    parser.add_argument("--duplicates", action="store_true", help="only which altered copies are found")
    parser.add_argument("--fresh", action="store_true", help="describe all photos again")
    return parser


def _evaluation_photos(options: argparse.Namespace) -> Path:
    folder = options.photos or os.environ.get("EVAL_PHOTOS")
    if not folder:
        raise GroundTruthError("Name the evaluation photos with --photos or EVAL_PHOTOS, or a --truth file.")
    return Path(folder)


def _measured(options: argparse.Namespace, sets: Sequence[PhotoSet]) -> Iterator[Measured]:
    if not options.only:
        yield from map(measure_colours, sets)
    for configuration, network, model, searches in _runs(options):
        for photos in sets:
            asked = [each for each in searches if photos.same_object or "verify" not in each]
            yield from asyncio.run(measure(configuration, network, model, photos, asked, options.fresh))


def _runs(options: argparse.Namespace) -> Iterator[tuple[Configuration, str, str, tuple[Options, ...]]]:
    """Configuration, name of its network, INDEXER_MODEL, and searches."""
    for configuration in CONFIGURATIONS:
        if options.only and configuration.name not in options.only:
            continue
        if options.quick and not configuration.quick:
            continue
        if not configuration.network:
            yield configuration, "", "", configuration.searches
            continue
        for network in options.networks:
            yield configuration, Path(network).stem, network, configuration.searches
        if configuration.name in UNTRAINED and not options.only:
            for draw in range(RANDOM_DRAWS):
                yield configuration, "random weights", str(random_network(draw)), (PLAIN,)


if __name__ == "__main__":
    sys.exit(main())
