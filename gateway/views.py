"""The page: what a template is given, and its rendering in the reader's language."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import languages
from gateway.addresses import DEFAULT_OPTIONS, afresh, search_address, set_address
from gateway.collection_schemas import Indexing, IndexResponse
from gateway.errors import GatewayError
from gateway.languages import Language
from gateway.match_drawing import Drawing, drawings
from gateway.media_types import is_shown
from gateway.problems import blanks_of, describe
from gateway.schemas import (
    MAX_PHOTOS,
    Hit,
    IndexSummary,
    Likeness,
    QueryImage,
    QueryPhoto,
    SearchOptions,
    SearchResponse,
)
from gateway.search_client import IndexedImage, Photo

# The gallery's classes: width by height in steps of 0.05, within what a row can hold.
RATIO_STEP, MIN_RATIO, MAX_RATIO = 0.05, 0.55, 2.6

HEADERS = {"Cache-Control": "no-cache, private", "Vary": "Accept, Accept-Language"}


@dataclass(frozen=True, slots=True)
class PhotoView:
    """A photo as the page shows it large. `image_id` and `original_url` are empty where it was uploaded."""

    source: str
    alt: str
    width: int = 0
    height: int = 0
    image_id: str = ""
    original_url: str = ""
    is_negative: bool = False
    is_damaged: bool = False

    @property
    def ratio(self) -> float:
        """Width by height."""
        return max(self.width, 1) / max(self.height, 1)

    @property
    def small_source(self) -> str:
        return f"/thumbnails/{self.image_id}" if self.image_id else self.source


@dataclass(frozen=True, slots=True)
class MatchView:
    """A verified result beside the photo of the query that was found in it."""

    hit: Hit
    query: PhotoView
    result: PhotoView

    @property
    def drawings(self) -> Sequence[Drawing]:
        return drawings(self.query.ratio, self.result.ratio)


FILTERS = ("folder", "taken_from", "taken_to", "min_score")
"""The options that leave photos out."""
SECTIONS: dict[str, tuple[Likeness, ...]] = {
    "same": ("identical", "same"),
    "alike": ("alike",),
    "related": ("related",),
    "weak": ("weak",),
}
"""The words of each section of the results, in order."""


@dataclass(frozen=True, slots=True)
class Section:
    """Results that are about equally alike, each with its number among all results, from 1."""

    name: str
    hits: Sequence[tuple[int, Hit]]


@dataclass(frozen=True, slots=True)
class Page:
    """The one page, in each of its states: start, results, or an error beside either."""

    options: SearchOptions = DEFAULT_OPTIONS
    photos: Sequence[PhotoView] = ()
    """Of the query, the positive ones first."""
    answer: SearchResponse | None = None
    match: MatchView | None = None
    samples: Sequence[IndexedImage] = ()
    index: IndexSummary | IndexResponse | None = None
    about: IndexResponse | None = None

    @property
    def sections(self) -> list[Section]:
        """The results by how alike they are, each section in the order of the answer."""
        first = self.options.offset + 1
        hits = list(enumerate(self.answer.results, start=first)) if self.answer else []
        grouped = [
            Section(name, [(number, hit) for number, hit in hits if hit.likeness in words])
            for name, words in SECTIONS.items()
        ]
        return [section for section in grouped if section.hits]

    @property
    def same_file(self) -> Hit | None:
        """The result that has the bytes of the uploaded photo."""
        if self.answer is None or self.answer.query is None:
            return None
        image_id = self.answer.query.image_id
        return next((hit for hit in self.answer.results if hit.image_id == image_id), None)

    @property
    def last_number(self) -> int:
        """Of the last result that is shown, counted from the first page on."""
        return self.options.offset + (len(self.answer.results) if self.answer else 0)

    @property
    def next_address(self) -> str:
        """Of the results that follow; empty where there are none."""
        following = self.answer.next_offset if self.answer else None
        return self._address(offset=following) if following is not None else ""

    @property
    def earlier_address(self) -> str:
        return self._address(offset=max(0, self.options.offset - self.options.limit))

    @property
    def chips(self) -> list[tuple[str, dict[str, str], str]]:
        """Of each filter that is on its name, what its sentence leaves blank, and the search without it."""
        values = {name: getattr(self.options, name) for name in FILTERS}
        return [
            (name, {"value": f"{value}"}, self._address(**{name: None}, offset=0))
            for name, value in values.items()
            if value is not None
        ]

    @property
    def is_anything_alike(self) -> bool:
        return any(section.name != "weak" for section in self.sections)

    @property
    def query(self) -> PhotoView | None:
        return self.photos[0] if self.photos else None

    @property
    def is_search(self) -> bool:
        return bool(self.photos or self.options.text)

    @property
    def takes_words(self) -> bool:
        """Whether the collection can be searched with words; where that is not known, whether it is now."""
        return self.about.text if self.about else bool(self.options.text)

    @property
    def is_indexed(self) -> bool:
        """Whether links alone can bring this search back."""
        return all(photo.image_id for photo in self.photos)

    @property
    def has_room(self) -> bool:
        return len(self.photos) < MAX_PHOTOS

    @property
    def address(self) -> str:
        """The link that reproduces this page; the start page's with an upload, which only its owner has."""
        match = self.match.hit.image_id if self.match else ""
        return self.set_address(match) if self.is_indexed else "/"

    @property
    def switches(self) -> list[str]:
        """The options that are on or off, without those that a person need not choose.

        An exact index is always exact, and the page asks for the points of a match itself.
        """
        is_exact = self.about is not None and not self.about.approximate
        needless = {"points", "exact"} if is_exact else {"points"}
        return [name for name in self.options.switches() if name not in needless]

    @property
    def barred_switches(self) -> set[str]:
        """Those that the collection lacks something for; none where that is not known: the service tells."""
        if self.about is None:
            return set()
        needs = {"verify": self.about.local_features, "localize": self.about.localization}
        return {name for name, is_there in needs.items() if not is_there}

    def is_on(self, switch: str) -> bool:
        """Whether the option is on, or would be by itself."""
        chosen = getattr(self.options, switch)
        return switch not in self.barred_switches if chosen is None else bool(chosen)

    @property
    def own_switches(self) -> set[str]:
        """Those that are on by themselves, so that a form must say when they are not."""
        fields = type(self.options).model_fields
        return {name for name in self.switches if fields[name].default is None} - self.barred_switches

    def is_last_positive(self, photo: PhotoView) -> bool:
        positives = sum(not each.is_negative for each in self.photos)
        return not photo.is_negative and positives == 1 and not self.options.text

    def set_address(self, match: str = "") -> str:
        """What links can hold of this search, all but what was uploaded."""
        return set_address(_photos(self.photos), self.options, match)

    def _address(self, **changed: object) -> str:
        return set_address(_photos(self.photos), self.options.model_copy(update=changed))

    def address_with(self, image_id: str, is_negative: bool) -> str:
        """Of the search with one more photo."""
        return set_address([*_photos(self.photos), Photo(image_id, is_negative)], afresh(self.options))

    def address_without(self, photo: PhotoView) -> str:
        """Of the search with one photo less; the start page's where none would be left to be like."""
        if self.is_last_positive(photo):
            return "/"
        return set_address(_photos(each for each in self.photos if each is not photo), afresh(self.options))

    def address_turned(self, photo: PhotoView) -> str:
        """Of the search with one photo of the other sign."""
        turned = replace(photo, is_negative=not photo.is_negative)
        photos = _photos(turned if each is photo else each for each in self.photos)
        return set_address(photos, afresh(self.options))


def _photos(views: Iterable[PhotoView]) -> list[Photo]:
    """As queries: the positive ones first, uploaded ones without their bytes."""
    photos = [Photo(view.image_id, view.is_negative) for view in views]
    return sorted(photos, key=lambda photo: photo.is_negative)


class Views:
    """Renders pages. One for each application, because links are looked up in it."""

    def __init__(self, app: FastAPI) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        root_path = app.state.settings.root_path
        self._environment.filters["rooted"] = partial(rooted, root_path=root_path)
        self._environment.globals.update(
            link=lambda name, **parameters: root_path + app.url_path_for(name, **parameters),
            search_address=search_address,
            ratio_class=ratio_class,
            percent=percent,
            indexing_words=indexing_words,
            milliseconds=milliseconds,
            max_upload_bytes=app.state.settings.max_upload_bytes,
            limits=blanks_of(app.state.settings),
        )

    def page(self, request: Request, page: Page, error: GatewayError | None = None) -> HTMLResponse:
        """The page, with the error's status and headers where there is one."""
        language = language_of(request)
        return self.render(
            request,
            "page.html",
            {"page": page, "problem": describe(error, language, request) if error else None},
            status=error.status if error else 200,
            headers=error.headers if error else {},
        )

    def render(
        self,
        request: Request,
        template: str,
        context: dict[str, object],
        status: int = 200,
        headers: dict[str, str] | None = None,
        language: Language | None = None,
    ) -> HTMLResponse:
        """In the reader's language, unless the text of the template is in another one."""
        language = language or language_of(request)
        html = self._environment.get_template(template).render(context, language=language, say=language.text)
        return HTMLResponse(html, status, {**HEADERS, "Content-Language": language.code, **(headers or {})})


def language_of(request: Request) -> Language:
    return languages.preferred(request.headers.get("accept-language", ""))


def uploaded_photo(preview: bytes, seen: QueryImage | QueryPhoto, alt: str) -> PhotoView:
    """The preview the service made, inside the page: an upload is kept nowhere."""
    picture = base64.b64encode(preview).decode("ascii")
    return PhotoView(
        f"data:image/webp;base64,{picture}", alt, seen.width, seen.height, is_damaged=seen.damaged
    )


def indexed_photo(image: IndexedImage) -> PhotoView:
    original_url = f"/images/{image.image_id}"
    return PhotoView(
        source=original_url if is_shown(image.media_type) else f"/thumbnails/{image.image_id}",
        alt=image.paths[0],
        width=image.width,
        height=image.height,
        image_id=image.image_id,
        original_url=original_url,
        is_damaged=image.damaged,
    )


def rooted(address: str, root_path: str) -> str:
    """An address of the gateway below the path that a proxy serves it under; others as they are."""
    return root_path + address if address.startswith("/") else address


def ratio_class(width: int, height: int) -> str:
    """The class of the nearest width-to-height ratio, such as "ratio-135" for 4:3."""
    ratio = min(max(width / max(height, 1), MIN_RATIO), MAX_RATIO)
    return f"ratio-{round(round(ratio / RATIO_STEP) * RATIO_STEP * 100)}"


def indexing_words(language: Language, indexing: Indexing) -> str:
    """How far the indexer is, and about how long it will take, in one line."""
    key = f"indexing.{indexing.phase}"
    words = language.text(
        key if language.has(key) else "indexing.other", done=f"{indexing.done:,}", total=f"{indexing.total:,}"
    )
    if not indexing.per_second:
        return words
    minutes = (indexing.total - indexing.done) / indexing.per_second / 60
    if minutes <= 1:
        return f"{words} · {language.text('indexing.soon')}"
    if minutes < 100:
        return f"{words} · {language.count('indexing.minutes', round(minutes))}"
    return f"{words} · {language.count('indexing.hours', round(minutes / 60))}"


def percent(score: float) -> str:
    """With one decimal and rounded down, so that it never promises more than was counted."""
    return f"{math.floor(score * 1000 + 1e-9) / 10:.1f}"


def milliseconds(value: float) -> str:
    """Whole from 10 on, with one decimal below."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
