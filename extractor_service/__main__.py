"""python -m extractor_service: serve, or ask a running service for its health."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from functools import partial

from pydantic import ValidationError

# NumPy's products are small here, and its threads cost more by waiting for work than they save: verifying 40
# candidates took 95 ms with one, over 400 with two. It reads this when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from extractor_service.settings import ExtractorSettings, first_problem

# What is heavy (gRPC, OpenVINO, faiss) is imported where it is used: --help and bad settings answer at once.

BAD_SETTING = 2
FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 fine, 1 failed, 2 a bad argument or setting."""
    options = _parser().parse_args(arguments)
    try:
        settings = ExtractorSettings()
    except ValidationError as error:
        return _fail(first_problem(error), BAD_SETTING)
    if options.command == "health":
        return _health(settings, options.tls_name)
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    # It reports every variant of the library that this processor could use and this package lacks.
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)
    return _serve(settings)


def _serve(settings: ExtractorSettings) -> int:
    from extractor_service.transport.server import StartupError, serve
    from imagesearch.backbones import load_backbone
    from imagesearch.host.cpus import available_cpus
    from imagesearch.store.layout import StoreLayout

    models_dir = StoreLayout(settings.store_dir).models_dir
    load = partial(load_backbone, models_dir, threads=settings.threads or available_cpus())
    try:
        answered_all = asyncio.run(serve(settings, load))
    except StartupError as error:
        return _fail(str(error), FAILED)
    return 0 if answered_all else FAILED


def _health(settings: ExtractorSettings, tls_name: str | None) -> int:
    from extractor_service.transport.health import is_serving

    try:
        serving = is_serving(settings, tls_name)
    except OSError:
        return _fail("EXTRACTOR_TLS_CERT_FILE cannot be read.", BAD_SETTING)
    sys.stdout.write("SERVING\n" if serving else "NOT_SERVING\n")
    return 0 if serving else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m extractor_service",
        description="Describes images and searches the store's live snapshot, over gRPC.",
        epilog=_settings_help(),
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


def _settings_help() -> str:
    prefix = ExtractorSettings.model_config["env_prefix"]
    lines = ["settings, from the environment:"]
    for name, field in ExtractorSettings.model_fields.items():
        default = "none" if field.default is None else field.default
        lines.append(f"  {prefix}{name.upper()} ({default})\n      {field.description}")
    return "\n".join(lines)


def _fail(sentence: str, code: int) -> int:
    sys.stderr.write(f"extractor_service: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
