"""Middleware: what every request and every answer passes, whatever it is about.

A request for another host name is refused.  Every answer, errors included, has headers that stop browsers from loading
anything from elsewhere, guessing types or being framed.

The policy allows ``'self'`` only, so even text that slipped through as markup could not load or run anything.
"""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fanous.model.measurement import is_address
from fanous.web.answers import HOST

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
"""Resources may be read from other origins, since pictures and feeds are shown on other sites and pages contain
nothing about the reader."""

DESK_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
"""Headers of the desk, which has no scripts.  With ``no-referrer`` a browser would hide which page sent a form."""

A_YEAR = 31_536_000
EMBEDDED = "/embed/"
"""Only paths below this may be framed by other sites."""


def is_desk(path: str) -> bool:
    return path == "/desk" or path.startswith("/desk/")


def security_headers(path: str, *, secure: bool) -> dict[str, str]:
    """The headers of an answer to ``path``.

    Args:
        secure: the public address is HTTPS, so browsers are told to use only that.
    """
    framed = path.startswith(EMBEDDED)
    headers = HEADERS | {"Content-Security-Policy": CONTENT_POLICY.format(frames="*" if framed else "'none'")}
    if is_desk(path):
        headers |= DESK_HEADERS
    if not framed:
        headers["X-Frame-Options"] = "DENY"
    if secure:
        headers["Strict-Transport-Security"] = f"max-age={A_YEAR}"
    return headers


class SecurityHeaders:
    """Middleware: adds the headers to every answer."""

    def __init__(self, app: ASGIApp, *, secure: bool, all_desk: bool = False) -> None:
        """``secure`` as in ``security_headers``; ``all_desk``: all paths get the desk's headers."""
        self._app = app
        self._secure, self._more = secure, DESK_HEADERS if all_desk else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        added = security_headers(scope["path"], secure=self._secure) | self._more

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(added)
            await send(message)

        await self._app(scope, receive, sending)


class ExpectedHost:
    """Middleware: refuses requests for another host name if the public address is known.

    IP addresses and names without a dot are accepted, since proxies use them for upstream servers.

        Args:
            url: the public address; empty = any name is accepted.
            hosts: further names.
    """

    def __init__(self, app: ASGIApp, *, url: str, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._url = url
        self._hosts = {(urlsplit(url).hostname or "").lower(), *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._url or self._is_expected(_host(scope)):
            await self._app(scope, receive, send)
            return
        body = f"This site is {self._url}; its operator may add a name to [web] hosts.\n".encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 400, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _is_expected(self, host: str) -> bool:
        if host.startswith("["):
            return bool(HOST.fullmatch(host))
        name = host.partition(":")[0].lower()
        return name in self._hosts or "." not in name or is_address(name)


def _host(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
