"""A client that was generated from an earlier search.proto still understands the service."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from tests.protos.contract import RECORD, Contract, breaking_changes, contract_now

RECORDED: Contract = json.loads(RECORD.read_text("utf-8"))
BEFORE: Contract = {
    "methods": {"Search": "SearchRequest → SearchResponse"},
    "messages": {
        "Hit": {"fields": {"1": "string image_id", "2": "repeated Point points"}, "reserved": ["3"]}
    },
}


def test_nothing_that_clients_may_use_has_changed() -> None:
    assert breaking_changes(RECORDED, contract_now()) == []


def test_what_was_added_is_recorded() -> None:
    """So that it is kept from now on."""
    assert contract_now() == RECORDED, "record it with: python -m tests.protos.contract"


@pytest.mark.parametrize(
    ("fields", "reserved"),
    [
        pytest.param({"1": "string image_id"}, ["3"], id="removed"),
        pytest.param({"1": "string image_id"}, ["2", "3"], id="removed, its name left free"),
        pytest.param({"1": "string image_id", "4": "repeated Point points"}, ["3"], id="renumbered"),
        pytest.param({"1": "string id", "2": "repeated Point points"}, ["3"], id="renamed"),
        pytest.param({"1": "bytes image_id", "2": "repeated Point points"}, ["3"], id="of another type"),
        pytest.param({"1": "string image_id", "2": "Point points"}, ["3"], id="no longer repeated"),
        pytest.param({"1": "oneof a string image_id", "2": "repeated Point points"}, ["3"], id="in a oneof"),
        pytest.param({"1": "string image_id", "2": "repeated Point points", "3": "bool x"}, [], id="reused"),
    ],
)
def test_a_change_of_fields_that_breaks_clients_is_found(fields: dict[str, str], reserved: list[str]) -> None:
    after = deepcopy(BEFORE)
    after["messages"]["Hit"] = {"fields": fields, "reserved": reserved}
    assert breaking_changes(BEFORE, after)


@pytest.mark.parametrize(
    "methods", [{}, {"Search": "stream of SearchRequest → SearchResponse"}], ids=["gone", "streamed"]
)
def test_a_method_that_is_gone_or_called_otherwise_is_found(methods: dict[str, str]) -> None:
    assert breaking_changes(BEFORE, {"methods": methods, "messages": BEFORE["messages"]})


def test_additions_and_reserved_removals_break_nobody() -> None:
    after = deepcopy(BEFORE)
    after["methods"]["Extract"] = "ExtractRequest → ExtractResponse"
    after["messages"]["Hit"] = {
        "fields": {"1": "string image_id", "4": "bool new"},
        "reserved": ["2", "3", "points"],
    }
    assert breaking_changes(BEFORE, after) == []
