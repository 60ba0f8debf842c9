"""One configuration on one set of photos, measured: a store, its searches, its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.quality.baselines import HSV_BYTES, hsv_rankings
from benchmarks.quality.configurations import PLAIN, Configuration, Options
from benchmarks.quality.measures import bytes_per_photo, distance_to_uniform
from benchmarks.quality.photo_sets import PhotoSet
from benchmarks.quality.searching import query_ms, ranked, searching
from benchmarks.quality.stores import store_of
from benchmarks.retrieval import Quality, evaluate


@dataclass(frozen=True, slots=True)
class Measured:
    """One search option of one configuration on one set of photos."""

    photos: str
    descriptor: str
    network: str
    options: Options
    dim: int
    quality: Quality
    query_ms: float | None
    """Median of a search with a file; None where it was not taken."""
    bytes_per_photo: int
    calibration_error: float | None
    """Kolmogorov-Smirnov distance of the scores of all pairs to uniform; None but for the plain search."""


async def measure(
    configuration: Configuration,
    network: str,
    model: str,
    photos: PhotoSet,
    searches: Sequence[Options],
    fresh: bool,
) -> list[Measured]:
    """network: its name, empty for none. model: for INDEXER_MODEL. fresh: describe all photos again.

    Raises BuildFailed and GroundTruthError.
    """
    store_dir = store_of(photos, configuration, model, searches, fresh)
    rows = []
    async with searching(store_dir) as core:
        with core.live.use() as served:
            snapshot = served.snapshot
        for options in searches:
            answered = await ranked(core, photos, options)
            rows.append(
                Measured(
                    photos.name,
                    configuration.name,
                    network,
                    options,
                    snapshot.manifest.dim,
                    evaluate(photos.truth, answered.rankings),
                    await query_ms(core, photos, options),
                    bytes_per_photo(snapshot, "verify" in options),
                    distance_to_uniform(answered.scores) if options == PLAIN else None,
                )
            )
    return rows


def measure_colours(photos: PhotoSet) -> Measured:
    """The baseline that knows colours alone; it has no store, and its time is not taken."""
    quality = evaluate(photos.truth, hsv_rankings(photos))
    return Measured(photos.name, "HSV histogram", "", PLAIN, HSV_BYTES // 2, quality, None, HSV_BYTES, None)
