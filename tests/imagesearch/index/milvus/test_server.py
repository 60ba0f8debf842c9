"""What failures of the client are told as."""

from __future__ import annotations

import pytest

from imagesearch.errors import VectorsGone, VectorsUnavailable
from imagesearch.index.milvus.server import REFUSED, TOO_SLOW, UNREACHABLE, typed_failures


class ClientError(Exception):
    def __init__(self, words: str, code: int = 1) -> None:
        super().__init__(words)
        self.code = code


def refused_deep_inside() -> ClientError:
    """As the client wraps gRPC's errors, in a circle."""
    inner = ClientError("status = StatusCode.UNAUTHENTICATED, auth check failure")
    outer = ClientError("Fail connecting to server, illegal connection params or server unavailable", 2)
    outer.__cause__, inner.__cause__ = inner, outer
    return outer


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (refused_deep_inside(), REFUSED),
        (ClientError("Fail connecting to server on db:19530", 2), UNREACHABLE),
        (ClientError("DEADLINE_EXCEEDED"), TOO_SLOW),
        (OSError("secret of /etc/milvus"), "failed; the log holds the details"),
    ],
)
def test_a_failure_says_what_to_do_and_nothing_of_its_text(error: Exception, sentence: str) -> None:
    with pytest.raises(VectorsUnavailable) as failure, typed_failures():
        raise error
    assert sentence in str(failure.value)
    assert "secret" not in str(failure.value)


def test_a_collection_that_is_not_there_is_gone() -> None:
    with pytest.raises(VectorsGone), typed_failures():
        raise ClientError("collection not found", 100)
