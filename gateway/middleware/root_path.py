"""A proxy in front that serves the gateway under a path of its own, whether it strips this path or not."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class RootPath:
    """Puts the path back where the proxy has stripped it, and names it to the framework."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        """root_path: such as "/photos"; no path of the gateway itself begins with it."""
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            is_stripped = not f"{scope['path']}/".startswith(f"{self._root_path}/")
            path = self._root_path + scope["path"] if is_stripped else scope["path"]
            scope = {**scope, "path": path, "root_path": self._root_path}
        await self._app(scope, receive, send)


def route_path(scope: Scope) -> str:
    """The path as the routes name it, such as "/search"."""
    root_path: str = scope["app"].state.settings.root_path
    return str(scope["path"]).removeprefix(root_path)
