"""From the domain's errors to gRPC status, in one place for every call of the service."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status

from extractor_service.search.caller import current_caller
from extractor_service.transport.observed import observed
from imagesearch.errors import (
    ImageSearchError,
    IndexNotReady,
    InvalidImage,
    InvalidOption,
    OptionUnavailable,
    Overloaded,
    PhotoGone,
    UnknownFolder,
    UnknownImage,
    VectorsUnavailable,
)

logger = logging.getLogger(__name__)

ERROR_DOMAIN = "imagesearch"

# By class or base class. Any other error is trouble of the service's own, which a caller is told nothing of.
CODES: dict[type[ImageSearchError], grpc.StatusCode] = {
    InvalidImage: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidOption: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownImage: grpc.StatusCode.NOT_FOUND,
    UnknownFolder: grpc.StatusCode.NOT_FOUND,
    PhotoGone: grpc.StatusCode.NOT_FOUND,
    OptionUnavailable: grpc.StatusCode.FAILED_PRECONDITION,
    IndexNotReady: grpc.StatusCode.UNAVAILABLE,
    VectorsUnavailable: grpc.StatusCode.UNAVAILABLE,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call ends: `reason` for programs, `sentence` for a person."""

    code: grpc.StatusCode
    reason: str
    sentence: str


INTERNAL = Failure(
    grpc.StatusCode.INTERNAL, "INTERNAL", "The search service failed; its log holds the details."
)
TOO_LATE = Failure(
    grpc.StatusCode.DEADLINE_EXCEEDED,
    "DEADLINE_EXCEEDED",
    "The answer was not ready before the deadline; try again in a moment or allow more time.",
)

Parse = Callable[[bytes], Any]
Behaviour = Callable[[Any, Any], Awaitable[Any]]
Stream = Callable[[Any, Any], AsyncGenerator[Any, None]]


class StatusInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Bounds every call of one service in time, a stream from message to message.

    A failed one ends with its code and an ErrorInfo.
    """

    def __init__(self, service_name: str, call_timeout_s: float) -> None:
        """call_timeout_s: longest wait for a message of a call that carries no deadline of its own."""
        self._prefix = f"/{service_name}/"
        self._call_timeout_s = call_timeout_s

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler, method = await continuation(handler_call_details), handler_call_details.method
        if handler is None or not method.startswith(self._prefix):
            return handler
        parse, coding = _parser(handler.request_deserializer), (bytes, handler.response_serializer)
        if handler.response_streaming:
            stream = self._streaming(method, parse, handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(stream, *coding)
        answer = self._answering(method, parse, handler.unary_unary)
        return grpc.unary_unary_rpc_method_handler(answer, *coding)

    def _answering(self, method: str, parse: Parse, behaviour: Behaviour) -> Behaviour:
        async def guarded(data: bytes, context: Any) -> Any:
            async with self._bounded(method, context):
                return await behaviour(parse(data), context)

        return guarded

    def _streaming(self, method: str, parse: Parse, behaviour: Stream) -> Behaviour:
        async def guarded(data: bytes, context: Any) -> None:
            async with (
                self._bounded(method, context) as deadline,
                aclosing(behaviour(parse(data), context)) as messages,
            ):
                async for message in messages:
                    await context.write(message)
                    deadline.reschedule(self._latest(context))

        return guarded

    @asynccontextmanager
    async def _bounded(self, method: str, context: Any) -> AsyncIterator[asyncio.Timeout]:
        """Ends the call with a status where what it does inside fails or takes too long."""
        deadline = asyncio.timeout_at(self._latest(context))
        with observed(method, context) as ending:
            # A cancelled call is no failure: CancelledError is no Exception and passes.
            try:
                async with deadline:
                    yield deadline
                return
            except Exception as error:
                failure = TOO_LATE if deadline.expired() else failure_of(error)
            ending.reason = failure.reason
        await _abort(context, failure)

    def _latest(self, context: Any) -> float:
        """When the next message must have gone out, by the event loop's clock."""
        remaining_s = context.time_remaining()
        wait_s = self._call_timeout_s if remaining_s is None else remaining_s
        return asyncio.get_running_loop().time() + wait_s


def _parser(deserialize: Parse) -> Parse:
    """Raises InvalidOption, where gRPC itself would only log."""

    def parse(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            raise InvalidOption("The request is no message of this protocol.") from None

    return parse


def failure_of(error: Exception) -> Failure:
    """Logs what the caller does not get to see."""
    code = next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), None)
    if code is None or not isinstance(error, ImageSearchError):
        logger.error("a call failed, request %s", current_caller.get().request_id or "-", exc_info=error)
        return INTERNAL
    return Failure(code, error.reason, str(error))


async def _abort(context: Any, failure: Failure) -> NoReturn:
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=failure.reason, domain=ERROR_DOMAIN))
    number, _ = failure.code.value
    message = status_pb2.Status(code=number, message=failure.sentence, details=[detail])
    await context.abort_with_status(rpc_status.to_status(message))
    raise AssertionError("abort raises")
