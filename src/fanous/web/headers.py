"""Headers: what every answer says to a browser - nothing from elsewhere, no guessing, no frames.

The policy names ``'self'`` alone: a text that slipped through as markup could still load and run nothing.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {frames}"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Pictures and feeds are made to be shown elsewhere, so a resource may be read from another origin; pages
hold nothing of the reader."""

A_YEAR = 31_536_000
EMBEDDED = "/embed/"
"""Only what stands below may be framed by other sites."""


def security_headers(path: str, *, secure: bool) -> dict[str, str]:
    """For an answer to ``path``.

    Args:
        secure: the public address is HTTPS, so browsers may be told to use nothing else.
    """
    framed = path.startswith(EMBEDDED)
    headers = HEADERS | {"Content-Security-Policy": CONTENT_POLICY.format(frames="*" if framed else "'none'")}
    if not framed:
        headers["X-Frame-Options"] = "DENY"
    if secure:
        headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
    return headers


class SecurityHeaders:
    """Middleware: adds the headers to every answer."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        """``secure`` as in ``security_headers``."""
        self._app = app
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = security_headers(scope["path"], secure=self._secure)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(added)
            await send(message)

        await self._app(scope, receive, sending)
