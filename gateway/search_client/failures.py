"""From a failed call to an error of the gateway, by one table."""

from __future__ import annotations

import logging
import re

import grpc
from google.rpc import error_details_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status

from gateway import errors

logger = logging.getLogger(__name__)

ERROR_DOMAIN = "imagesearch"

# What the service names as the reason, and, where it names none (it was never reached), the status code.
ERROR_BY_REASON: dict[str, type[errors.GatewayError]] = {
    "EMPTY_IMAGE": errors.EmptyImage,
    "TOO_MANY_BYTES": errors.TooManyBytes,
    "TOO_MANY_PIXELS": errors.TooManyPixels,
    "UNSUPPORTED_IMAGE_TYPE": errors.UnsupportedImageType,
    "UNDECODABLE_IMAGE": errors.UndecodableImage,
    "INVALID_OPTION": errors.InvalidOption,
    "UNKNOWN_IMAGE": errors.UnknownImage,
    "UNKNOWN_FOLDER": errors.UnknownFolder,
    "PHOTO_GONE": errors.PhotoGone,
    "OPTION_UNAVAILABLE": errors.OptionUnavailable,
    "TEXT_UNAVAILABLE": errors.TextUnavailable,
    "INDEX_NOT_READY": errors.IndexNotReady,
    "VECTORS_UNAVAILABLE": errors.VectorsUnavailable,
    "OVERLOADED": errors.Overloaded,
    "DEADLINE_EXCEEDED": errors.DeadlineExceeded,
}
ERROR_BY_STATUS: dict[grpc.StatusCode, type[errors.GatewayError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.UNAVAILABLE: errors.ExtractorUnavailable,
    grpc.StatusCode.CANCELLED: errors.ExtractorUnavailable,  # by a service that stops, not by this gateway
}
# Where the service's own words tell more than ours.
WORTH_REPEATING = {
    "TOO_MANY_BYTES",
    "TOO_MANY_PIXELS",
    "UNSUPPORTED_IMAGE_TYPE",
    "UNDECODABLE_IMAGE",
    "INVALID_OPTION",
    "OPTION_UNAVAILABLE",
    "VECTORS_UNAVAILABLE",
}
# One plain sentence without the slash of a path, the angle of an object, or the break of a traceback: a
# second lock behind the service's own, which names a reason only for its typed errors.
SENTENCE = re.compile(r"[A-Z][\w ,.;:()'’“”=×-]{,300}\.")
# gRPC's own refusal of a message, before the service sees it.
MESSAGE_TOO_LARGE = re.compile(r"SERVER: Received message larger than max \(\d+ vs\. (\d+)\)")


def translated(error: grpc.aio.AioRpcError) -> errors.GatewayError:
    """The error of the gateway; of the service's words it holds only a plain sentence of a typed error."""
    words = error.details() or ""
    if too_large := MESSAGE_TOO_LARGE.search(words):
        failure: errors.GatewayError = errors.TooManyBytes()
        failure.sentence = f"The search service takes at most {int(too_large[1]):,} bytes at once."
        return failure
    reason = _reason(error)
    cause = ERROR_BY_REASON.get(reason) or ERROR_BY_STATUS.get(error.code(), errors.ExtractorFailed)
    if cause is errors.ExtractorFailed:
        logger.error("the search service failed: %s %s", error.code().name, words)
    failure = cause()
    if reason in WORTH_REPEATING and SENTENCE.fullmatch(words):
        failure.sentence = words
    return failure


def _reason(error: grpc.aio.AioRpcError) -> str:
    """The reason of the service's google.rpc.ErrorInfo; empty where there is none."""
    try:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
    except ValueError:  # the details contradict the status they came with
        return ""
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info) and info.domain == ERROR_DOMAIN:
            return str(info.reason)
    return ""
