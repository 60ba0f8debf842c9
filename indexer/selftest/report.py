"""The self-test's report: one HTML file that needs nothing beside it."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from importlib import resources
from statistics import fmean

from imagesearch.errors import StoreError
from imagesearch.store.layout import StoreLayout
from imagesearch.store.thumbnails import read_thumbnail
from indexer.selftest.results import (
    LEFT_OUT_SHOWN,
    RANKS_TOLD,
    Outcome,
    Results,
    few_images_note,
    recall_at,
    worst,
)
from indexer.selftest.transformations import TRANSFORMATIONS, Transformation


def page(results: Results, layout: StoreLayout) -> str:
    """The whole file; the pictures of the collection are the store's thumbnails."""
    css = resources.files(__package__).joinpath("report.css").read_text("utf-8")
    parts = [_header(results), _table(results), _failures(results, layout), _left_out(results)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Self-test</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="color-scheme" content="light dark">\n<style>\n{css}</style>\n</head>\n<body>\n'
        f"{''.join(parts)}</body>\n</html>\n"
    )


def _header(results: Results) -> str:
    index, choices = results.index, results.choices
    options = [name for name in ("exact", "expand", "verify") if getattr(choices, name)]
    note = few_images_note(results)
    figures = "".join(
        f"<div><dt>{label}</dt><dd>{_percent(_mean_recall(results, count))}</dd></div>\n"
        for count, label in ((1, "found first"), (10, "among the first ten"))
    )
    return (
        "<header>\n<h1>Do altered photos find their originals?</h1>\n"
        f"<p>{results.tested} of {index.count} photos were altered in {len(TRANSFORMATIONS)} ways, and each "
        "altered picture was searched with. The right answer is the photo it was made from, so no labels are "
        "needed.</p>\n"
        f'<p class="quiet">Snapshot {escape(index.version)}, {escape(index.descriptor)} of '
        f"{escape(index.model)}, {'approximate' if index.approximate else 'exact'} index"
        f"{', with ' + ' and '.join(options) if options else ''}; seed {choices.seed}; "
        f"{results.seconds:.0f} s.</p>\n"
        f'{_note(note)}</header>\n<dl class="figures">\n{figures}</dl>\n'
    )


def _note(sentence: str) -> str:
    return f'<p class="note">{escape(sentence)}</p>\n' if sentence else ""


def _table(results: Results) -> str:
    example = results.outcomes[0].image_id
    rows = "".join(
        _row(results, each, results.pictures.get((example, each.name))) for each in TRANSFORMATIONS
    )
    return (
        '<h2>By transformation</h2>\n<p class="quiet">The bar:'
        '<span class="key one"></span>found first<span class="key ten"></span>among the first ten. The '
        f"curve: the share found among the first 1, 2, … {RANKS_TOLD} results.</p>\n"
        '<div class="wide">\n<table>\n<thead><tr><th class="example">example</th><th>what was done</th>'
        '<th></th><th class="number">first</th><th class="number">first ten</th>'
        f'<th class="curve-cell">1 to {RANKS_TOLD}</th></tr></thead>\n'
        f"<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )


def _row(results: Results, transformation: Transformation, example: bytes | None) -> str:
    outcomes = results.of(transformation)
    first, ten = recall_at(1, outcomes), recall_at(10, outcomes)
    return (
        f'<tr><td class="example">{_image(example, transformation.what)}</td>'
        f'<td class="name"><b>{transformation.name}</b> '
        f'<span class="quiet">{escape(transformation.what)}</span></td>'
        f'<td><div class="bar"><span class="ten" style="width:{100 * ten:.1f}%"></span>'
        f'<span class="one" style="width:{100 * first:.1f}%"></span></div></td>'
        f'<td class="number">{_percent(first)}</td><td class="number">{_percent(ten)}</td>'
        f'<td class="curve-cell">{_curve(outcomes)}</td></tr>\n'
    )


def _curve(outcomes: Sequence[Outcome]) -> str:
    """The share found among the first k results, over the logarithm of k."""
    counts = (*range(1, 10), *range(10, RANKS_TOLD + 1, 5))
    points = " L".join(
        f"{100 * math.log(count) / math.log(RANKS_TOLD):.1f} {30 * (1 - recall_at(count, outcomes)):.2f}"
        for count in counts
    )
    return (
        '<svg class="curve" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" '
        f'aria-label="{_percent(recall_at(RANKS_TOLD, outcomes))} among the first {RANKS_TOLD}">'
        f'<line x1="0" y1="0" x2="100" y2="0"/><line x1="0" y1="30" x2="100" y2="30"/>'
        f'<path d="M{points}"/></svg>'
    )


def _failures(results: Results, layout: StoreLayout) -> str:
    groups = []
    for transformation in TRANSFORMATIONS:
        outcomes = results.of(transformation)
        if failures := worst(outcomes):
            missed = sum(outcome.rank != 1 for outcome in outcomes)
            cards = "".join(_failure(results, layout, each) for each in failures)
            groups.append(
                f'<h3>{transformation.name} <span class="quiet">{missed} of {len(outcomes)} not found first'
                f'</span></h3>\n<div class="failures">\n{cards}</div>\n'
            )
    if not groups:
        return "<h2>Failures</h2>\n<p>None: every altered photo found its original first.</p>\n"
    return (
        '<h2>The worst failures</h2>\n<p class="quiet">A photo that stands in the collection twice, cut or '
        "compressed in another way, may come first in place of the original. That is no fault of the search."
        f"</p>\n{''.join(groups)}"
    )


def _failure(results: Results, layout: StoreLayout, outcome: Outcome) -> str:
    rank = f"found {_ordinal(outcome.rank)}" if outcome.rank else f"not among the first {RANKS_TOLD}"
    query = results.pictures.get((outcome.image_id, outcome.transformation))
    figures = (
        _figure(query, "searched with", ""),
        _figure(_thumbnail(layout, outcome.first_image_id), "found first", outcome.first_path),
        _figure(_thumbnail(layout, outcome.image_id), f"the original, {rank}", outcome.path),
    )
    return f'<div class="failure">{"".join(figures)}</div>\n'


def _figure(picture: bytes | None, title: str, path: str) -> str:
    return (
        f'<figure><div class="frame">{_image(picture, title)}</div>'
        f"<figcaption><b>{escape(title)}</b> {escape(path)}</figcaption></figure>"
    )


def _image(webp: bytes | None, what: str) -> str:
    if not webp:
        return '<span class="absent">no picture</span>'
    data = b64encode(webp).decode()
    return f'<img src="data:image/webp;base64,{data}" alt="{escape(what)}" loading="lazy">'


def _thumbnail(layout: StoreLayout, image_id: str | None) -> bytes | None:
    try:
        return read_thumbnail(layout, image_id) if image_id else None
    except StoreError:
        return None


def _left_out(results: Results) -> str:
    if not results.left_out:
        return ""
    count = len(results.left_out)
    shown = results.left_out[:LEFT_OUT_SHOWN]
    items = "".join(f"<li>{escape(each.path)}: {escape(each.reason)}</li>\n" for each in shown)
    more = f"<li>… and {count - len(shown)} more</li>\n" if count > len(shown) else ""
    return f"<h2>Left out</h2>\n<ul>\n{items}{more}</ul>\n"


def _mean_recall(results: Results, count: int) -> float:
    """Over the transformations; `unchanged` is a control and does not count."""
    return fmean(recall_at(count, results.of(each)) for each in TRANSFORMATIONS[1:])


def _percent(share: float) -> str:
    """100 % only where it is all of them."""
    return f"{math.floor(1000 * share) / 10:.1f} %".replace(".0 %", " %")


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
