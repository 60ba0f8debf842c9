"""From a failed call to an error of the gateway, by one table."""

from __future__ import annotations

import logging

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
    "PHOTO_GONE": errors.PhotoGone,
    "OPTION_UNAVAILABLE": errors.OptionUnavailable,
    "INDEX_NOT_READY": errors.IndexNotReady,
    "OVERLOADED": errors.Overloaded,
    "DEADLINE_EXCEEDED": errors.DeadlineExceeded,
}
ERROR_BY_STATUS: dict[grpc.StatusCode, type[errors.GatewayError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Overloaded,
    grpc.StatusCode.UNAVAILABLE: errors.ExtractorUnavailable,
}


def translated(error: grpc.aio.AioRpcError) -> errors.GatewayError:
    cause = ERROR_BY_REASON.get(_reason(error)) or ERROR_BY_STATUS.get(error.code(), errors.ExtractorFailed)
    if cause is errors.ExtractorFailed:
        logger.error("the search service failed: %s %s", error.code().name, error.details())
    return cause()


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
