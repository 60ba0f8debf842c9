"""What the page shows, in each of its states; templates read it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.addresses import DEFAULT_OPTIONS, afresh, set_address
from gateway.collection_schemas import IndexResponse
from gateway.match_drawing import Drawing, drawings
from gateway.photo_views import PhotoView
from gateway.schemas import Hit, IndexSummary, Likeness, SearchResponse
from gateway.search_client import IndexedImage, Photo
from gateway.search_options import MAX_PHOTOS, SearchOptions


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
    seed: int = 0
    """Of the samples; each gives others."""
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
    def first_number(self) -> int:
        """Of the result that is shown first."""
        return next((number for section in self.sections for number, _ in section.hits), 0)

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
    def is_filtered(self) -> bool:
        return any(getattr(self.options, name) is not None for name in FILTERS)

    @property
    def chosen_switches(self) -> list[tuple[str, str]]:
        """Of each option that is not as it would be by itself its name, and the search without it."""
        fields = type(self.options).model_fields
        return [
            (name, self._address(**{name: fields[name].default}, offset=0))
            for name in self.switches
            if getattr(self.options, name) not in (fields[name].default, True if name == "verify" else None)
        ]

    def sorted_address(self, by: str) -> str:
        return self._address(sort=by, offset=0)

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
