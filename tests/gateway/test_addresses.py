from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateway.addresses import search_address, set_address
from gateway.search_client import Photo
from gateway.search_options import Region, SearchOptions
from gateway.uploads import read_address

A, B, C = ("a" * 32, "b" * 32, "c" * 32)
PLAIN = SearchOptions()
REGION = Region(x=1 / 3, y=0, width=0.5, height=1)


def test_an_address_leaves_out_what_is_default() -> None:
    assert search_address(A) == f"/?image_id={A}"
    options = SearchOptions(limit=5, verify=False, max_distance=0.5)
    assert search_address(B, options) == f"/?image_id={B}&limit=5&verify=false&max_distance=0.5"


def test_a_search_with_another_image_keeps_the_filters_and_begins_with_its_first_results() -> None:
    options = SearchOptions(offset=60, folder="Summer, 2019", taken_from=date(2019, 7, 1))
    assert search_address(A, options) == f"/?image_id={A}&folder=Summer,+2019&taken_from=2019-07-01"
    assert set_address([Photo(A)], options).startswith(f"/?image_id={A}&offset=60&folder=Summer")


def test_a_region_in_an_address_is_short() -> None:
    assert search_address(A, SearchOptions(region=REGION)).endswith("&region=0.333333,0,0.5,1")


def test_several_photos_stand_in_an_address_by_their_signs_without_a_region() -> None:
    photos = [Photo(A), Photo(B), Photo(C, is_negative=True)]
    address = set_address(photos, SearchOptions(limit=5, region=REGION), match="d" * 32)
    assert address == f"/?image_ids={A}&image_ids={B}&not_image_ids={C}&limit=5&match={'d' * 32}"


def test_of_an_upload_only_the_rest_stands_in_an_address() -> None:
    assert set_address([Photo(""), Photo(A)], PLAIN) == f"/?image_ids={A}"
    assert set_address([Photo(""), Photo(A, is_negative=True)], PLAIN) == f"/?not_image_ids={A}"
    assert set_address([Photo("")], PLAIN) == "/"


@pytest.mark.parametrize(
    "photos",
    [(Photo(A),), (Photo(A), Photo(B)), (Photo(A), Photo(B, is_negative=True)), (Photo(A), Photo(A))],
)
def test_an_address_is_read_back_as_the_search_it_was_made_of(photos: tuple[Photo, ...]) -> None:
    options = SearchOptions(
        limit=5,
        expand=True,
        text="A Red Bicycle",
        offset=10,
        min_score=0.5,
        folder="a/B c/写真",
        taken_from=date(2019, 7, 1),
        taken_to=date(2020, 1, 1),
    )
    query = read_address(parse_qsl(urlsplit(set_address(photos, options)).query))
    assert query is not None
    assert (query.photos, query.options) == (photos, options)
