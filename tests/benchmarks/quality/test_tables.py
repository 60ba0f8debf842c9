from __future__ import annotations

from benchmarks.quality.configurations import PLAIN, VERIFIED, Options
from benchmarks.quality.measuring import Measured
from benchmarks.quality.tables import markdown
from benchmarks.retrieval import Quality


def row(
    photos: str, network: str, quality: float, options: Options = PLAIN, error: float | None = None
) -> Measured:
    return Measured(
        photos, "embedding", network, options, 512, Quality(quality, quality / 2, 10), 20.4, 1024, error
    )


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_one_line_a_way_to_search_with_the_sets_side_by_side() -> None:
    rows = [row("one", "efficientnet-lite0", 0.5, error=0.01), row("two", "efficientnet-lite0", 0.25)]
    head, _, only = markdown(rows, ["one", "two"]).splitlines()
    assert cells(head)[:7] == [
        "descriptor",
        "network",
        "search",
        "one mAP",
        "one P@10",
        "two mAP",
        "two P@10",
    ]
    assert cells(only)[:10] == [
        *("embedding", "efficientnet-lite0", "-", "0.500", "0.250", "0.250", "0.125"),
        *("20", "1,024", "0.010"),
    ]


def test_draws_of_random_weights_are_averaged_and_searches_are_not() -> None:
    rows = [
        row("one", "random weights", 0.2),
        row("one", "random weights", 0.4),
        row("one", "efficientnet-lite0", 0.5),
        row("one", "efficientnet-lite0", 0.7, VERIFIED),
    ]
    lines = [cells(line) for line in markdown(rows, ["one"]).splitlines()[2:]]
    assert [line[1:4] for line in lines] == [
        ["random weights", "-", "0.300"],
        ["efficientnet-lite0", "-", "0.500"],
        ["efficientnet-lite0", "verify", "0.700"],
    ]
