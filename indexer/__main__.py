"""python -m indexer: build, watch, status, verify, prune, selftest, match, duplicates, quantize, weights."""

from __future__ import annotations

import argparse
import json
import logging
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from imagesearch.errors import ImageSearchError, InvalidOption
from imagesearch.host.command_line import (
    BAD_USAGE,
    FAILED,
    FINE,
    INTERRUPTED,
    fail,
    first_problem,
    interruptible,
    say,
    say_json,
)
from imagesearch.host.logs import set_up_logging
from imagesearch.store.durable import exclusive
from imagesearch.store.layout import StoreLayout
from imagesearch.store.versions import prune
from indexer import console
from indexer.arguments import parser, settings_of
from indexer.build import Options, build
from indexer.collections import drop_unnamed
from indexer.duplicates import listing
from indexer.errors import NothingToMatch
from indexer.inspection import damage, status
from indexer.match.run import match_files
from indexer.match.verdicts import as_csv, as_text, exit_code
from indexer.network_source import Networks, StoredNetworks
from indexer.quantisation import quantise
from indexer.selftest.results import Choices
from indexer.selftest.run import selftest
from indexer.settings import IndexerSettings
from indexer.summary import Summary
from indexer.watch import Watch

logger = logging.getLogger(__name__)

PROGRAM = "indexer"

ProvideNetworks = Callable[[IndexerSettings], Networks]


def stored_networks(settings: IndexerSettings) -> Networks:
    models_dir = StoreLayout(settings.store_dir).models_dir
    return StoredNetworks(models_dir, settings.vgg16_weights, settings.threads, console.ModelBar())


def main(arguments: Sequence[str] | None = None, provide: ProvideNetworks = stored_networks) -> int:
    """Returns the exit code: 0 fine, 1 failed, 2 bad usage, 130 interrupted."""
    options = parser().parse_args(arguments)
    try:
        settings = settings_of(options)
    except ValidationError as error:
        return fail(PROGRAM, first_problem(error, IndexerSettings), BAD_USAGE)
    set_up_logging(settings.log_level, settings.log_format)
    try:
        with interruptible():
            return _COMMANDS[options.command](options, settings, provide)
    except KeyboardInterrupt:
        return fail(
            PROGRAM,
            "Interrupted. What is done is kept; the same command again goes on from here.",
            INTERRUPTED,
        )
    except (InvalidOption, NothingToMatch) as error:
        return fail(PROGRAM, str(error), BAD_USAGE)
    except ImageSearchError as error:
        return fail(PROGRAM, str(error), FAILED)
    except OSError as error:
        return fail(PROGRAM, f"The store cannot be used: {error}.", FAILED)
    except sqlite3.Error as error:
        return fail(
            PROGRAM,
            f"The store's ledger cannot be used: {error}. "
            "If it is damaged, build --rebuild writes a new one.",
            FAILED,
        )


def _build(options: argparse.Namespace, settings: IndexerSettings, provide: ProvideNetworks) -> int:
    summary = build(
        settings,
        provide(settings),
        console.photo_bar,
        Options(options.rebuild, options.accept_loss, options.check, dask=options.dask),
    )
    _report(options, asdict(summary), console.summary_text(summary))
    return FINE


def _watch(options: argparse.Namespace, settings: IndexerSettings, provide: ProvideNetworks) -> int:
    def report(summary: Summary, is_first: bool) -> None:
        text = console.summary_text(summary) if is_first else console.change_text(summary)
        _report(options, asdict(summary), text)

    try:
        Watch(settings, provide(settings), console.photo_bar, report).follow()
    except KeyboardInterrupt:
        logger.info("Stopped. What is done is kept.")
    return FINE


def _status(options: argparse.Namespace, settings: IndexerSettings, _: ProvideNetworks) -> int:
    found = status(StoreLayout(settings.store_dir))
    _report(options, asdict(found), console.status_text(found))
    return FINE


def _verify(options: argparse.Namespace, settings: IndexerSettings, provide: ProvideNetworks) -> int:
    found = damage(StoreLayout(settings.store_dir), provide(settings))
    _report(options, {"damage": found}, "\n".join(found) or "The store is whole.")
    return FAILED if found else FINE


def _prune(options: argparse.Namespace, settings: IndexerSettings, _: ProvideNetworks) -> int:
    layout = StoreLayout(settings.store_dir)
    if not layout.snapshots_dir.is_dir():
        return fail(PROGRAM, f"There is no store in {layout.root}.", FAILED)
    with exclusive(layout):
        removed = prune(layout, options.keep)
        dropped = drop_unnamed(layout, settings.milvus)
    text = f"{len(removed)} old snapshots removed. {' '.join(removed)}".rstrip()
    if dropped:
        text += f"\n{len(dropped)} collections dropped from Milvus. {' '.join(dropped)}"
    _report(options, {"removed": removed, "dropped": dropped}, text)
    return FINE


def _selftest(options: argparse.Namespace, settings: IndexerSettings, provide: ProvideNetworks) -> int:
    choices = Choices(options.photos, options.seed, options.exact, options.expand, options.verify)
    try:
        with _only_errors_logged("extractor_service", "imagesearch"):
            results, report = selftest(
                settings, provide(settings), choices, options.report, console.photo_bar
            )
    except KeyboardInterrupt:
        return fail(PROGRAM, "Interrupted; there is no report.", INTERRUPTED)
    value = results.to_json() | {"report": str(report)}
    _report(options, value, f"{console.selftest_text(results)}\nReport: {report}")
    return FINE


def _match(options: argparse.Namespace, settings: IndexerSettings, provide: ProvideNetworks) -> int:
    with _only_errors_logged("extractor_service", "imagesearch"):
        verdicts = match_files(settings, provide(settings).load, options.paths, console.photo_bar)
    if options.json:
        say(json.dumps([each.to_json() for each in verdicts], ensure_ascii=False))
    else:
        say(as_csv(verdicts) if options.csv else as_text(verdicts))
    return exit_code(verdicts)


def _duplicates(options: argparse.Namespace, settings: IndexerSettings, _: ProvideNetworks) -> int:
    found = listing.list_duplicates(StoreLayout(settings.store_dir))
    _report(options, listing.as_json(found), (listing.as_csv if options.csv else listing.as_text)(found))
    return FINE


def _weights(options: argparse.Namespace, settings: IndexerSettings, provide: ProvideNetworks) -> int:
    choice = provide(settings).prepare("vgg16")
    _report(
        options,
        {"model": asdict(choice.identity), "note": choice.note},
        f"{choice.identity.name} {choice.identity.digest[:12]} is ready. {choice.note}".rstrip(),
    )
    return FINE


def _quantize(options: argparse.Namespace, settings: IndexerSettings, provide: ProvideNetworks) -> int:
    networks = provide(settings)
    model = quantise(settings, networks, networks.prepare(settings.model).identity)
    assert model.int8_quality is not None
    _report(
        options,
        {"model": asdict(model.identity), "int8_quality": asdict(model.int8_quality)},
        console.int8_text(model.folder.name, model.int8_quality),
    )
    return FINE


@contextmanager
def _only_errors_logged(*packages: str) -> Iterator[None]:
    """Serving warns in a log of what the results of a self-test say anyway."""
    loggers = [logging.getLogger(package) for package in packages]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


_COMMANDS = {
    "build": _build,
    "watch": _watch,
    "status": _status,
    "verify": _verify,
    "prune": _prune,
    "selftest": _selftest,
    "match": _match,
    "duplicates": _duplicates,
    "quantize": _quantize,
    "weights": _weights,
}


def _report(options: argparse.Namespace, value: dict[str, Any], text: str) -> None:
    if options.json:
        say_json(value)
    else:
        say(text)


if __name__ == "__main__":
    sys.exit(main())
