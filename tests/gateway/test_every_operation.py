"""Requests that nobody thought of, drawn from the published schema and sent to the gateway and the service.

What the schema allows and what it forbids, in both forms of a body. Every answer has a status, a media type
and a shape that the schema lists for it, what the schema forbids is refused, and no request makes a server
fail.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from gateway.app import create_app
from gateway.settings import Settings
from gateway.uploads import FILE_FIELDS, ID_FIELDS, SINGLE_FIELDS
from imagesearch.store.layout import image_id_of
from imagesearch.store.records import RefusedFile
from tests.conftest import REPOSITORY
from tests.extractor_service.serving import Folder, photo, running, settings_for
from tests.gateway.serving import listening

SEEDS = range(5)
PHOTOS = [photo(seed) for seed in SEEDS]
IN_BASE64 = [base64.b64encode(content).decode() for content in PHOTOS]
IDS = [image_id_of(hashlib.sha256(content).hexdigest()) for content in PHOTOS]

schema = schemathesis.openapi.from_path(REPOSITORY / "tests/gateway/openapi.json")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the gateway listens: the test runs in another thread than the servers' event loop."""
    folder = Folder.at(tmp_path_factory.mktemp("collection"), SEEDS)
    refused = [RefusedFile("bad.jpg", "UNDECODABLE_IMAGE", "It is cut off.")]
    folder.publish(refused=refused, local_features=True, localization=True)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_serving(folder)) as at:
        yield at


@asynccontextmanager
async def _serving(folder: Folder) -> AsyncIterator[str]:
    async with running(settings_for(folder)) as service:
        settings = Settings(
            extractor_address=f"127.0.0.1:{service.server.port}",
            max_pixels=1_000_000,
            rate_limit_per_minute=0,
        )
        async with listening(create_app(settings)) as port:
            yield f"http://127.0.0.1:{port}"


@schema.parametrize()
def test_every_answer_is_one_that_the_schema_lists(case: Case[Any], address: str) -> None:
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        case.path_parameters = {name: _known(value, IDS) for name, value in case.path_parameters.items()}
        case.body = _answerable(case.body) if isinstance(case.body, dict) else case.body
    # No schema says that a search takes photos of one kind, or that a region ends at the photo's edge.
    case.call_and_validate(address, excluded_checks=[positive_data_acceptance])


def _answerable(body: dict[str, Any]) -> dict[str, Any]:
    """The body with one query, and with photos and ids of the collection among those drawn."""
    given = [name for name in (*FILE_FIELDS, *ID_FIELDS) if body.get(name)]
    single = next((name for name in given if name in SINGLE_FIELDS), None)
    kept = [single] if single else given
    query = {name: _known(body[name], IDS if name in ID_FIELDS else IN_BASE64) for name in kept}
    options = {name: value for name, value in body.items() if name not in (*FILE_FIELDS, *ID_FIELDS)}
    return options | (query or {"image_id": IDS[0]})


def _known(drawn: Any, known: Sequence[str]) -> Any:
    """One of `known` in place of about half of the texts, which by themselves are never a photo or an id."""
    if isinstance(drawn, list):
        return [_known(each, known) for each in drawn]
    if len(drawn) % 2:
        return drawn
    chosen = len(drawn) // 2 % len(known)
    return PHOTOS[chosen] if isinstance(drawn, bytes) else known[chosen]
