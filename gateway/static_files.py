"""Scripts, styles and pictures of the page, under addresses that name their contents."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "static"
_IMPORT = re.compile(r'^import (?:.* from )?"\./(.+)";', re.M)
LASTING = "public, max-age=31536000, immutable"
_VERSIONED = re.compile(r"([0-9a-f]{16})/(.+)")


def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _needed(name: str) -> list[str]:
    """A module and those it cannot run without, each once."""
    names = [name]
    for each in names:  # grows
        imported = _IMPORT.findall((FOLDER / each).read_text("utf-8"))
        names += [other for other in imported if other not in names]
    return names


MODULES = tuple(_needed("app.js"))
"""What the page runs at once."""
VERSION = _version()
"""Of all files together, so that a script finds those it imports beside it."""


class VersionedFiles(StaticFiles):
    """Serves `VERSION/name`, which never changes. Under another version, or none, browsers ask each time: the
    page of another gateway gets what there is."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        versioned = _VERSIONED.fullmatch(path)
        version, name = versioned.groups() if versioned else ("", path)
        response = await super().get_response(name, scope)
        is_lasting = version == VERSION and response.status_code in (200, 304)
        response.headers["Cache-Control"] = LASTING if is_lasting else "no-cache"
        return response
