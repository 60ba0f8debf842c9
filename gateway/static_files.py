"""The page's own files."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles


class RevalidatedFiles(StaticFiles):
    """Lets browsers keep copies but ask each time, so that a page never meets a script of another version."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
