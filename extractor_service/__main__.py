"""python -m extractor_service: serve, or ask a running service for its health."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from pydantic import ValidationError

from extractor_service.search.caller import current_caller
from extractor_service.settings import ExtractorSettings
from extractor_service.tracing import send_traces, trace_id
from imagesearch.host.command_line import BAD_USAGE, FAILED, FINE, fail, first_problem, say, settings_help
from imagesearch.host.logs import set_up_logging
from imagesearch.host.memory import keep_freed_memory

# What is heavy (gRPC, OpenVINO, faiss) is imported where it is used: --help and bad settings answer at once.

PROGRAM = "extractor_service"
KEPT_BYTES = 32 << 20
"""Of the memory that a query frees, for the next one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 fine, 1 failed, 2 a bad argument or setting."""
    options = _parser().parse_args(arguments)
    try:
        settings = ExtractorSettings()
    except ValidationError as error:
        return fail(PROGRAM, first_problem(error, ExtractorSettings), BAD_USAGE)
    if options.command == "health":
        return _health(settings, options.tls_name)
    set_up_logging(settings.log_level, settings.log_format, _told_of)
    # It reports every variant of the library that this processor could use and this package lacks.
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)
    keep_freed_memory(KEPT_BYTES)
    return _serve(settings)


def _serve(settings: ExtractorSettings) -> int:
    from extractor_service.transport.server import StartupError, serve
    from imagesearch.backbones import load_backbone
    from imagesearch.host.cpus import available_cpus
    from imagesearch.store.layout import StoreLayout

    if settings.otlp_endpoint:
        send_traces(settings.otlp_endpoint)
    models_dir = StoreLayout(settings.store_dir).models_dir
    load = partial(load_backbone, models_dir, threads=settings.threads or available_cpus())
    try:
        answered_all = asyncio.run(serve(settings, load))
    except StartupError as error:
        return fail(PROGRAM, str(error), FAILED)
    return FINE if answered_all else FAILED


def _told_of() -> Mapping[str, str]:
    """In a log of JSON: which request of the gateway a line is about."""
    return {"request_id": current_caller.get().request_id, "trace_id": trace_id()}


def _health(settings: ExtractorSettings, tls_name: str | None) -> int:
    from extractor_service.transport.health import is_serving

    try:
        serving = is_serving(settings, tls_name)
    except OSError:
        return fail(PROGRAM, "EXTRACTOR_TLS_CERT_FILE cannot be read.", BAD_USAGE)
    say("SERVING" if serving else "NOT_SERVING")
    return FINE if serving else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m extractor_service",
        description="Describes images and searches the store's live snapshot, over gRPC.",
        epilog=settings_help(ExtractorSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "health"),
        default="serve",
        help="serve (the default), or health: exit with 0 when the service of these settings can answer",
    )
    parser.add_argument("--tls-name", help="for health: the name in the certificate, if not the host")
    return parser


if __name__ == "__main__":
    sys.exit(main())
