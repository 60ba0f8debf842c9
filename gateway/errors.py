"""Everything the gateway answers other than success, by cause.

GatewayError
 ├─ MalformedRequest        400  a body that is not what its content type says
 ├─ InvalidBase64           400
 ├─ NotOneQuery             400  no query, or two
 ├─ EmptyImage              400
 ├─ Unauthenticated         401  without the key that this gateway asks for
 ├─ UnknownPage             404  no such route
 ├─ UnknownImage            404  no such id
 ├─ UnknownFolder           404  no photo is in it
 ├─ PhotoGone               404  indexed, but its file is no longer there
 ├─ MethodNotAllowed        405
 ├─ UploadTimeout           408
 ├─ TooManyBytes            413
 ├─ UnsupportedContentType  415  neither multipart/form-data nor application/json
 ├─ UnsupportedImageType    415
 ├─ RangeNotSatisfiable     416
 ├─ HostNotAllowed          421  asked for under a name that is not this gateway's
 ├─ TooManyPixels           422
 ├─ UndecodableImage        422
 ├─ TooManyPhotos           422
 ├─ NoPositivePhoto         422  only photos that the results should not resemble
 ├─ RegionOfSeveral         422  a part of a photo, where there are several
 ├─ InvalidOption           422
 ├─ OptionUnavailable       422  valid, but the collection lacks what it needs
 ├─ TextUnavailable         422  words, which the collection's model does not know
 ├─ RateLimited             429
 ├─ Internal                500  a defect of the gateway
 ├─ ExtractorFailed         502  a defect of the search service
 ├─ Overloaded              503
 ├─ IndexNotReady           503
 ├─ VectorsUnavailable      503
 ├─ ExtractorUnavailable    503  the search service cannot be reached, or is not yet ready
 └─ DeadlineExceeded        504

A class holds its status and its code, which is the reason of the search service where the cause is the same.
The sentences stand in the locale files, by code.
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Base of every failure that is answered by intent."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL"
    retry_after_s: int | None = None
    sentence: str = ""
    """In the search service's words, in English, where they tell more than the gateway's; without paths."""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer that belong to this error."""
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}


class MalformedRequest(GatewayError):
    """The body is damaged."""

    status = 400
    code = "MALFORMED_REQUEST"


class HostNotAllowed(GatewayError):
    """The Host is a public name that the operator has not allowed."""

    status = 421
    code = "HOST_NOT_ALLOWED"


class InvalidBase64(GatewayError):
    """The text of `image` is not base64."""

    status = 400
    code = "INVALID_BASE64"


class NotOneQuery(GatewayError):
    """No photo, two in the fields for one, or some in these and some in the lists."""

    status = 400
    code = "NOT_ONE_QUERY"


class EmptyImage(GatewayError):
    """The picture has no bytes."""

    status = 400
    code = "EMPTY_IMAGE"


class Unauthenticated(GatewayError):
    """The request carries no API key, or a wrong one."""

    status = 401
    code = "UNAUTHENTICATED"


class UnknownPage(GatewayError):
    """No route of this path."""

    status = 404
    code = "UNKNOWN_PAGE"


class UnknownImage(GatewayError):
    """No image of this id in the live snapshot."""

    status = 404
    code = "UNKNOWN_IMAGE"


class UnknownFolder(GatewayError):
    """No image of the live snapshot is in this folder."""

    status = 404
    code = "UNKNOWN_FOLDER"


class PhotoGone(GatewayError):
    """The image is indexed, but its file has vanished or changed since."""

    status = 404
    code = "PHOTO_GONE"


class MethodNotAllowed(GatewayError):
    """The route exists, but not for this method."""

    status = 405
    code = "METHOD_NOT_ALLOWED"


class UploadTimeout(GatewayError):
    """The body did not arrive in time."""

    status = 408
    code = "UPLOAD_TIMEOUT"


class TooManyBytes(GatewayError):
    """The picture or the body is larger than the limit."""

    status = 413
    code = "TOO_MANY_BYTES"


class UnsupportedContentType(GatewayError):
    """The body is neither multipart/form-data nor application/json."""

    status = 415
    code = "UNSUPPORTED_CONTENT_TYPE"


class UnsupportedImageType(GatewayError):
    """The bytes are not of an accepted image type."""

    status = 415
    code = "UNSUPPORTED_IMAGE_TYPE"


class RangeNotSatisfiable(GatewayError):
    """The requested range is beyond the end of the file."""

    status = 416
    code = "RANGE_NOT_SATISFIABLE"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self._size_bytes = size_bytes

    @property
    def headers(self) -> dict[str, str]:
        return {"Content-Range": f"bytes */{self._size_bytes}"}


class TooManyPixels(GatewayError):
    """The picture has more pixels than the limit."""

    status = 422
    code = "TOO_MANY_PIXELS"


class UndecodableImage(GatewayError):
    """An accepted type, but damaged."""

    status = 422
    code = "UNDECODABLE_IMAGE"


class TooManyPhotos(GatewayError):
    """More photos than one search takes."""

    status = 422
    code = "TOO_MANY_PHOTOS"


class NoPositivePhoto(GatewayError):
    """There are only photos that the results should not resemble."""

    status = 422
    code = "NO_POSITIVE_PHOTO"


class RegionOfSeveral(GatewayError):
    """A region is a part of one photo, and there are several."""

    status = 422
    code = "REGION_OF_SEVERAL"


class InvalidOption(GatewayError):
    """An option outside its range, or one that does not exist. `option` names it where that is known."""

    status = 422
    code = "INVALID_OPTION"

    def __init__(self, option: str = "") -> None:
        super().__init__(option)
        self.option = option


class OptionUnavailable(GatewayError):
    """A valid option that the indexed collection cannot serve."""

    status = 422
    code = "OPTION_UNAVAILABLE"


class TextUnavailable(GatewayError):
    """Words, of a collection whose model sees pictures only."""

    status = 422
    code = "TEXT_UNAVAILABLE"


class RateLimited(GatewayError):
    """This client searches faster than allowed; `retry_after_s` tells when it may again."""

    status = 429
    code = "RATE_LIMITED"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class Internal(GatewayError):
    """A defect of the gateway; its log has the traceback."""


class ExtractorFailed(GatewayError):
    """A defect of the search service, or a token it does not accept; the gateway's log has the status."""

    status = 502
    code = "EXTRACTOR_FAILED"


class Overloaded(GatewayError):
    """As many searches as allowed are under way."""

    status = 503
    code = "OVERLOADED"
    retry_after_s = 1


class VectorsUnavailable(GatewayError):
    """The vector database of the search service cannot be asked."""

    status = 503
    code = "VECTORS_UNAVAILABLE"
    retry_after_s = 5


class IndexNotReady(GatewayError):
    """No snapshot is loaded yet."""

    status = 503
    code = "INDEX_NOT_READY"
    retry_after_s = 5


class ExtractorUnavailable(GatewayError):
    """The search service cannot be reached or is not ready."""

    status = 503
    code = "EXTRACTOR_UNAVAILABLE"
    retry_after_s = 5


class DeadlineExceeded(GatewayError):
    """The answer took longer than the deadline."""

    status = 504
    code = "DEADLINE_EXCEEDED"
