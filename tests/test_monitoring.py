"""The alert rules and the dashboard ask for metrics that the services have."""

from __future__ import annotations

import json
import re

import yaml
from prometheus_client import generate_latest

from extractor_service import metrics
from gateway.metrics import Metrics
from gateway.schemas import Timings
from tests.conftest import REPOSITORY

MONITORING = REPOSITORY / "deploy" / "monitoring"
METRIC = re.compile(r"\b(?:gateway|extractor)_\w+")


def asked_for() -> set[str]:
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    panels = json.loads((MONITORING / "dashboard.json").read_text("utf-8"))["panels"]
    queries = [rule["expr"] for rule in rules]
    queries += [target["expr"] for panel in panels for target in panel["targets"]]
    return {name for query in queries for name in METRIC.findall(query)}


def told_by_the_gateway() -> str:
    told = Metrics()
    told.count_request("POST", "/search", 200, 0.1)
    told.observe_search(Timings(decode=1, extract=1, search=1, verify=1, localize=1, total=5))
    return told.exposition().decode()


def told_by_the_service() -> str:
    metrics.CALLS.labels("Search", "OK")
    metrics.STAGE_SECONDS.labels("search")
    metrics.DECODER_DEATHS.labels("time")
    return generate_latest().decode()


def test_every_metric_that_is_asked_for_is_there() -> None:
    told = set(METRIC.findall(told_by_the_gateway() + told_by_the_service()))
    assert asked_for() and asked_for() <= told
