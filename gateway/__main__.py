"""`python -m gateway`: serves the page and the JSON search. Settings come from the environment."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import sys
import textwrap
from collections.abc import Sequence

from pydantic import ValidationError

from gateway.health import is_ready
from gateway.logs import set_up_logging
from gateway.memory import keep_freed_memory
from gateway.settings import Settings, variable
from gateway.tracing import send_traces

logger = logging.getLogger("gateway")


class StartError(Exception):
    """The gateway cannot start; the message is one line for a person."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until a signal. Returns the exit status: 0 after a shutdown, 1 where it is not ready, 2 where a
    setting is wrong."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings()
        if options.command == "health":
            return 0 if is_ready(settings) else 1
        set_up_logging(settings.log_format)
        keep_freed_memory()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Until the server listens, and again when it has shut down and passes the signal on.
            signal.signal(number, lambda *_: sys.exit(0))
        with _listen(settings) as listener:
            _serve(settings, listener)
    except StartError as error:
        sys.stderr.write(f"gateway: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    described = "\n".join(
        textwrap.fill(
            f"{variable(name)}: {field.description} Default: {field.default}.",
            width=100,
            initial_indent="  ",
            subsequent_indent="    ",
        )
        for name, field in Settings.model_fields.items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m gateway",
        description="Serves the page and the JSON search of an image search engine.",
        epilog=f"Settings, from the environment:\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=("serve", "health"),
        default="serve",
        help="serve (the default), or health: exit with 0 when the gateway of these settings can answer",
    )
    return parser


def _settings() -> Settings:
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise StartError(f"{variable(str(first['loc'][0]))}: {_sentence(first['msg'])}") from None
    ca_file = settings.extractor_tls_ca_file
    if ca_file is not None and not ca_file.is_file():
        raise StartError(f"GATEWAY_EXTRACTOR_TLS_CA_FILE: there is no file {ca_file}")
    return settings


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")  # what the library puts before our own words


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    is_dual = settings.host == "::" and socket.has_dualstack_ipv6()
    try:
        return socket.create_server((settings.host, settings.port), family=family, dualstack_ipv6=is_dual)
    except OSError as error:
        raise _cannot_listen(settings.host, settings.port, "GATEWAY_PORT", error) from None


def _cannot_listen(host: str, port: int, setting: str, error: OSError) -> StartError:
    cause = (error.strerror or "").partition(" (")[0]  # without Python's own words on where
    return StartError(f"cannot listen on {host}, port {port}: {cause}; set GATEWAY_HOST or {setting}")


def _serve(settings: Settings, listener: socket.socket) -> None:
    # What is heavy (gRPC, FastAPI) is imported here: a question for health is asked every few seconds.
    from gateway.app import create_app
    from gateway.server import GatewayServer, server_config

    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if settings.otlp_endpoint:
        send_traces(settings.otlp_endpoint)
    app = create_app(settings)
    if settings.metrics_port is not None:
        try:
            app.state.metrics.listen(settings.host, settings.metrics_port)
        except OSError as error:
            raise _cannot_listen(
                settings.host, settings.metrics_port, "GATEWAY_METRICS_PORT", error
            ) from None
    logger.info("listening on http://%s:%d", host, listener.getsockname()[1])
    asyncio.run(GatewayServer(server_config(app)).serve(sockets=[listener]))


if __name__ == "__main__":
    sys.exit(main())
