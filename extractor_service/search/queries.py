"""What can be asked of the engine and what it answers. Values only."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from extractor_service.tracing import tracer
from imagesearch.errors import InvalidOption
from imagesearch.pictures.region import Region
from imagesearch.ranking.likeness import Likeness
from imagesearch.ranking.verification import SpatialMatch
from imagesearch.store.filters import Filter
from imagesearch.store.manifest import IndexSummary
from imagesearch.store.records import ImageRecord

MAX_LIMIT = 100
MAX_REACH = 1_000
"""Results of one search, over all its pages."""
DEFAULT_LIMIT = 30
MAX_TEXT_CHARACTERS = 1_000
"""Networks take some dozen words; what is longer is a mistake."""
MAX_PHOTOS = 8
"""Of one query: each may cost a decoding and a run of the network, and with `verify` one more comparison for
each candidate."""


@dataclass(frozen=True, slots=True)
class FileQuery:
    """The bytes of an image file."""

    content: bytes
    max_pixels: int | None = None
    """The caller's own limit; the smaller of it and the service's holds."""


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """An image of the index, which is left out of its own results."""

    image_id: str


@dataclass(frozen=True, slots=True)
class VectorQuery:
    """A descriptor, not necessarily normalised."""

    values: NDArray[np.float32]
    """shape=(D,)."""

    def normalised(self, dim: int) -> NDArray[np.float32]:
        """shape=(dim,), L2-normalised. Raises InvalidOption where that cannot be."""
        if len(self.values) != dim:
            raise InvalidOption(f"The vector has {len(self.values)} values; this index takes {dim}.")
        # float64: squares of large or tiny float32 values leave the range of float32.
        values = self.values.astype(np.float64)
        norm = float(np.linalg.norm(values))
        if not math.isfinite(norm) or norm == 0:
            raise InvalidOption("The vector must hold finite values that are not all zero.")
        return (values / norm).astype(np.float32)


Photo = FileQuery | StoredQuery


@dataclass(frozen=True, slots=True)
class PhotosQuery:
    """Several photos at once, or words and photos: the results resemble the positives and the words, and not
    the negatives.

    Raises InvalidOption for no positive one, for too many in all, and for text that is blank or too long.
    """

    positives: tuple[Photo, ...]
    negatives: tuple[Photo, ...] = ()
    text: str | None = None
    """None for none."""

    def __post_init__(self) -> None:
        if not self.positives and self.text is None:
            raise InvalidOption("A query of several photos needs one that the results should resemble.")
        if self.text is not None and not self.text.strip():
            raise InvalidOption("The text is blank; say in a few words what the photos show.")
        if self.text is not None and len(self.text) > MAX_TEXT_CHARACTERS:
            raise InvalidOption(
                f"The text has more than {MAX_TEXT_CHARACTERS:,} characters; use fewer words."
            )
        if len(self.positives) + len(self.negatives) > MAX_PHOTOS:
            raise InvalidOption(f"A query takes at most {MAX_PHOTOS} photos.")


Query = FileQuery | StoredQuery | VectorQuery | PhotosQuery


def uploaded_bytes(query: Query) -> int:
    """The size of all files that the query brought."""
    photos = (*query.positives, *query.negatives) if isinstance(query, PhotosQuery) else (query,)
    return sum(len(photo.content) for photo in photos if isinstance(photo, FileQuery))


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Raises InvalidOption for a value outside its range."""

    region: Region | None = None
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    exact: bool = False
    expand: bool = False
    verify: bool | None = None
    """None: where the query has photos and the snapshot local features."""
    localize: bool = False
    collapse: bool = False
    """Whether of results that are one picture the first stands for all."""
    max_distance: float | None = None
    min_score: float | None = None
    """Where there are scores; where there are none, nothing has this one."""
    where: Filter = Filter()
    preview: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidOption(f"The limit must be from 1 to {MAX_LIMIT}.")
        if not 0 <= self.offset <= MAX_REACH - self.limit:
            raise InvalidOption(f"The offset and the limit must be at most {MAX_REACH:,} together.")
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise InvalidOption("The least score must be a number from 0 to 1.")
        if self.max_distance is not None and not 0 <= self.max_distance < math.inf:
            raise InvalidOption("The largest distance must be a number from 0 up.")


SWITCHES = tuple(name for name, kind in get_type_hints(SearchOptions).items() if kind is bool)
"""The names of the options that are on or off, as in the protocol."""


Stage = Literal["decode", "extract", "search", "verify", "localize", "total"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(slots=True)
class Timings:
    """Where the time of one request went, in milliseconds."""

    decode_ms: float = 0.0
    extract_ms: float = 0.0
    search_ms: float = 0.0
    verify_ms: float = 0.0
    localize_ms: float = 0.0
    total_ms: float = 0.0

    @contextmanager
    def measure(self, stage: Stage) -> Iterator[None]:
        """Adds what passes inside to the stage's time, waiting in queues included; a trace shows it too."""
        start = time.perf_counter()
        try:
            with tracer.start_as_current_span(stage):
                yield
        finally:
            passed_ms = (time.perf_counter() - start) * 1_000
            setattr(self, f"{stage}_ms", getattr(self, f"{stage}_ms") + passed_ms)


@dataclass(frozen=True, slots=True)
class QueryImage:
    """The query as it was understood; width and height in pixels of the whole upright image."""

    width: int
    height: int
    region: Region | None
    damaged: bool
    """Whether pixels of the whole image are missing or wrong."""
    image_id: str = ""
    """Of the indexed image that has the very bytes of an uploaded file; else empty."""


@dataclass(frozen=True, slots=True)
class QueryPhoto:
    """One of several photos as it was understood; width and height in pixels of the upright photo."""

    image_id: str
    """Empty where it came as a file."""
    negative: bool
    width: int
    height: int
    damaged: bool
    preview: bytes


@dataclass(frozen=True, slots=True)
class Hit:
    """One result."""

    record: ImageRecord
    distance: float
    score: float | None
    """None where the collection is too small to tell."""
    match: SpatialMatch | None = None
    """Where the query was found in it; None where it was not looked for or not found."""
    located: Region | None = None
    """The part of it that answers the query best; None where it was not looked for or nothing answers."""
    likeness: Likeness = Likeness.WEAK
    rank_score: float | None = None
    """What the order follows, descending, where results are re-ranked; else it follows the distance."""
    also: Sequence[ImageRecord] = ()
    """Images that are the same picture and would be results, too; none unless results collapse."""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """`hits` ascend by distance, ties by image id; with `verify` or `localize` they are re-ranked."""

    query: QueryImage | None
    """The first positive one of several; None for a vector."""
    photos: list[QueryPhoto]
    """Of several photos each one, the positives first; empty for one photo."""
    hits: list[Hit]
    next_offset: int | None
    """Of the next page with the same limit; None where there is none."""
    index: IndexSummary
    timings: Timings
    preview: bytes


@dataclass(frozen=True, slots=True)
class ExtractAnswer:
    """`values`: shape=(D,), dtype=float32, L2-normalised."""

    query: QueryImage | None
    values: NDArray[np.float32]
    index: IndexSummary
    timings: Timings
