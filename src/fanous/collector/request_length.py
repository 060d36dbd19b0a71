"""Request length: refuses a request that states its length in two ways, and closes its connection.

A proxy before the collector may believe the one and the server the other: the rest of the body would be a
request of its own then, under somebody else's address (RFC 9112 section 6.1).
"""

from starlette.types import ASGIApp, Receive, Scope, Send

REASON = b'{"detail":"content-length and transfer-encoding: send one of them"}'
HEADERS = [(b"content-type", b"application/json"), (b"connection", b"close")]


class OneLength:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope["headers"]} if scope["type"] == "http" else set()
        if not names >= {b"content-length", b"transfer-encoding"}:
            await self._app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 400, "headers": HEADERS})
        await send({"type": "http.response.body", "body": REASON})
