"""The service as a process: assemble, listen, follow the store, drain."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Coroutine, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server

from extractor_service.live.query_model import LoadBackbone
from extractor_service.search.collection import Collection
from extractor_service.search.duplicates import DuplicateLists
from extractor_service.search.pictures import Pictures
from extractor_service.search.queries import FileQuery, SearchOptions
from extractor_service.search.wiring import SearchCore
from extractor_service.settings import MIB, ExtractorSettings
from extractor_service.transport.auth import BearerTokenInterceptor
from extractor_service.transport.draining import Arrivals
from extractor_service.transport.error_status import StatusInterceptor
from extractor_service.transport.servicer import ImageSearchServicer
from imagesearch.descriptors.known_picture import known_picture
from imagesearch.errors import TooManyBytes, TooManyPixels
from imagesearch.pictures.renderings import webp
from protos.imagesearch.v1 import search_pb2, search_pb2_grpc

logger = logging.getLogger(__name__)

SERVICE_NAME = search_pb2.DESCRIPTOR.services_by_name["ImageSearchService"].full_name
# What a request holds in addition to the image: options, or a vector of some thousand values.
MESSAGE_SLACK_BYTES = MIB
MAX_CONNECTION_AGE_MS = 60_000
# Between two tries of a search that has to succeed before the service calls itself able to answer.
RETRY_S = 5.0


class StartupError(Exception):
    """The service cannot listen as it is set up to; the message is one sentence."""


class ExtractorServer:
    """One service from `start` to `stop`. Build it on the event loop that runs it."""

    def __init__(self, settings: ExtractorSettings, load_backbone: LoadBackbone) -> None:
        self._settings = settings
        self._core = SearchCore(settings, load_backbone)
        self._live = self._core.live
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined]
        self._arrivals = Arrivals()
        interceptors = (self._arrivals, *_interceptors(settings))
        self._server = grpc.aio.server(interceptors=interceptors, options=_options(settings))
        self._pictures = Pictures(self._live, settings.images_dir, self._core.decode_pool)
        collection, duplicates = Collection(self._live), DuplicateLists(self._live)
        self._register(ImageSearchServicer(self._core.engine, collection, duplicates, self._pictures))
        self._answering = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.port = 0
        """The port listened on, once started."""

    async def start(self) -> None:
        """Listens, and looks for a snapshot to serve until there is one. Raises StartupError."""
        self.port = _listen(self._server, self._settings)
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._server.start()
        logger.info("listening on %s:%s", self._settings.host, self.port)
        if not self._settings.images_dir.is_dir():
            logger.warning(
                "EXTRACTOR_IMAGES_DIR: there is no folder %s, so no original can be shown",
                self._settings.images_dir,
            )
        self._tasks = [asyncio.create_task(self._live.follow()), asyncio.create_task(self._report_health())]

    async def ready(self) -> None:
        """Returns once queries are answered."""
        await self._answering.wait()

    async def drain(self) -> None:
        """Takes no more calls and waits for those under way, at most `drain_timeout_s`."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + self._settings.drain_timeout_s
        await self._health.enter_graceful_shutdown()
        await self._arrivals.cease(self._settings.drain_timeout_s / 4)
        await self._server.stop(give_up_s - loop.time())

    async def close(self) -> None:
        """Ends at once whatever is still under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.stop(None)
        self._pictures.close()
        self._core.close()

    def _register(self, servicer: ImageSearchServicer) -> None:
        search_pb2_grpc.add_ImageSearchServiceServicer_to_server(servicer, self._server)  # type: ignore[no-untyped-call]
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (SERVICE_NAME, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    async def _report_health(self) -> None:
        while True:
            await self._live.ready.wait()
            if await self._answers() and self._live.ready.is_set():
                self._log_ready()
                await self._set_health(health_pb2.HealthCheckResponse.SERVING)
                self._answering.set()
                await self._live.lost.wait()
                self._answering.clear()
                await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
            else:
                await asyncio.sleep(RETRY_S)

    async def _answers(self) -> bool:
        """Whether a whole search comes to an end, the decoding of its photo included."""
        photo = FileQuery(webp(known_picture()[::16, ::16], 16))
        try:
            await self._core.engine.search(photo, SearchOptions(limit=1))
        except (TooManyBytes, TooManyPixels):  # by limits that are stranger still than this photo
            return True
        except Exception:
            logger.exception("a photo that is known cannot be searched with")
            return False
        return True

    def _log_ready(self) -> None:
        with self._live.use() as served:
            manifest = served.snapshot.manifest
            logger.info(
                "ready on %s:%s: %s images of snapshot %s, described by %s of %s at %s",
                self._settings.host, self.port, manifest.count, manifest.version, manifest.descriptor,
                manifest.model.name, served.model.precision.value,
            )  # fmt: skip

    async def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus.ValueType) -> None:
        for name in (health.OVERALL_HEALTH, SERVICE_NAME):
            await self._health.set(name, status)


async def serve(settings: ExtractorSettings, load_backbone: LoadBackbone) -> bool:
    """Serves until SIGTERM or SIGINT, then drains; a second signal ends the draining.

    Returns whether every call under way was answered. Raises StartupError.
    """
    signals: asyncio.Queue[None] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, None)
    server = ExtractorServer(settings, load_backbone)
    try:
        if settings.metrics_port is not None:
            _tell_metrics(settings.host, settings.metrics_port)
        await server.start()
        await signals.get()
        logger.info("stopping: answering the calls under way; a second signal stops at once")
        answered_all = await _completes_before(server.drain(), signals.get())
    finally:
        await server.close()
    logger.info("stopped")
    return answered_all


async def _completes_before(
    drain: Coroutine[Any, Any, None], interruption: Coroutine[Any, Any, None]
) -> bool:
    """Whether the first one is done before the second one; whichever is later is cancelled."""
    draining, waiting = asyncio.create_task(drain), asyncio.create_task(interruption)
    await asyncio.wait((draining, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    return not draining.cancel()


def _tell_metrics(host: str, port: int) -> None:
    """For as long as the process lives. Raises StartupError."""
    try:
        start_http_server(port, host)
    except OSError as error:
        raise StartupError(f"Cannot tell metrics on {host}, port {port}: {error.strerror}.") from error


def _interceptors(settings: ExtractorSettings) -> Sequence[Any]:
    status = StatusInterceptor(SERVICE_NAME, settings.call_timeout_s)
    token = settings.bearer_token.get_secret_value() if settings.bearer_token else ""
    return (BearerTokenInterceptor(token), status) if token else (status,)


def _options(settings: ExtractorSettings) -> list[tuple[str, Any]]:
    return [
        ("grpc.max_receive_message_length", settings.max_image_bytes + MESSAGE_SLACK_BYTES),
        # Otherwise two services could share one port unnoticed, each with its own store.
        ("grpc.so_reuseport", 0),
        # A client that connects again asks for the addresses again, and finds replicas that are new. Calls
        # under way go on over the old connection.
        ("grpc.max_connection_age_ms", MAX_CONNECTION_AGE_MS),
    ]


def _listen(server: grpc.aio.Server, settings: ExtractorSettings) -> int:
    """Returns the port. Raises StartupError."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{host}:{settings.port}"
    credentials = _credentials(settings)
    try:
        _check_free(settings.host, settings.port)
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the address cannot be used"
        raise StartupError(f"Cannot listen on {address}: {reason}.") from error


def _check_free(host: str, port: int) -> None:
    """Raises OSError with the reason, which gRPC only writes to its own log."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def _credentials(settings: ExtractorSettings) -> grpc.ServerCredentials | None:
    cert_file, key_file = settings.tls_cert_file, settings.tls_key_file
    if cert_file is None or key_file is None:
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert_file, key_file)
        return grpc.ssl_server_credentials([(key_file.read_bytes(), cert_file.read_bytes())])
    except OSError as error:  # ssl.SSLError is one
        raise StartupError(
            "EXTRACTOR_TLS_CERT_FILE and EXTRACTOR_TLS_KEY_FILE must name a certificate and its key, "
            "both readable and PEM."
        ) from error
