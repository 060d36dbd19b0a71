"""A Globalping on loopback, written from its public code.

jsdelivr/globalping at commit 52c0c192: paths, fields and answers from ``public/v1/spec.yaml`` and
``public/v1/components/{schemas,responses,headers}.yaml``; what a request may hold from
``src/measurement/schema/location-schema.ts`` and ``command-schema.ts``; hourly limit from
``src/lib/rate-limiter/rate-limiter-post.ts`` and ``config/default.cjs``.  jsdelivr/globalping-probe at commit f86c41c2:
how a result looks that failed, from ``src/command/handlers/http/undici.ts`` (``handleError``, ``getJsonOutput``) and
``src/command/handlers/dig/classic.ts`` (``toJsonOutput``).
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

EYEBALL, DATACENTRE = "eyeball-network", "datacenter-network"

KEYS = {"type", "target", "inProgressUpdates", "locations", "limit", "timeout", "measurementOptions"}
OPTIONS = {
    "http": {"request", "resolver", "protocol", "port", "ipVersion"},
    "dns": {"query", "resolver", "protocol", "port", "ipVersion", "trace"},
}
REQUEST = {"host", "path", "query", "method", "headers"}
LOCATION = {"continent", "region", "country", "state", "city", "network", "asn", "magic", "tags", "limit"}


@dataclass(frozen=True, slots=True)
class FakeProbe:
    country: str
    asn: int
    tag: str = EYEBALL
    resolver: str = "private"

    @property
    def location(self) -> dict[str, Any]:
        return {
            "continent": "AS",
            "region": "Southern Asia",
            "country": self.country,
            "state": None,
            "city": "Somewhere",
            "asn": self.asn,
            "network": f"Network {self.asn}",
            "latitude": 1.5,
            "longitude": 2.5,
        }

    @property
    def listed(self) -> dict[str, Any]:
        return {
            "version": "0.50.0",
            "location": self.location,
            "tags": [self.tag],
            "resolvers": [self.resolver],
        }

    @property
    def item(self) -> dict[str, Any]:
        return {**self.location, "tags": [self.tag], "resolvers": [self.resolver]}


def page(
    code: int = 200, body: str = "<title>Site</title>", *, tls_error: str = "", address: str = ""
) -> Any:
    """A finished request over HTTPS."""
    certificate: dict[str, Any] = {
        "authorized": not tls_error,
        "protocol": "TLSv1.3",
        "cipherName": "TLS_AES_128_GCM_SHA256",
        "createdAt": "2026-09-01T00:00:00.000Z",
        "expiresAt": "2027-01-01T00:00:00.000Z",
        "issuer": {"C": "US", "O": "Authority", "CN": "R1"},
        "subject": {"CN": "site", "alt": "DNS:site"},
        "keyType": "EC",
        "keyBits": 256,
        "serialNumber": "00:01",
        "fingerprint256": "00:02",
        "publicKey": "00:03",
    }
    if tls_error:
        certificate["error"] = tls_error
    headers = {"content-type": "text/html", "server": "site", "set-cookie": ["a=secret", "b=secret"]}
    raw = "Content-Type: text/html\nServer: site\nSet-Cookie: a=secret\nSet-Cookie: b=secret"
    return {
        "status": "finished",
        "resolvedAddress": address or "104.244.42.1",
        "headers": headers,
        "rawHeaders": raw,
        "rawBody": body or None,
        "rawOutput": f"HTTP/1.1 {code}\n{raw}\n\n{body}",
        "truncated": False,
        "statusCode": code,
        "statusCodeName": "OK",
        "timings": {"total": 210, "dns": 10, "tcp": 50, "tls": 60, "firstByte": 70, "download": 20},
        "tls": certificate,
    }


def failed(message: str, source: str = "target") -> Any:
    """A request that failed: everything is emptied but the message."""
    return {
        "status": "failed",
        "failureSource": source,
        "resolvedAddress": None,
        "headers": {},
        "rawHeaders": None,
        "rawBody": None,
        "rawOutput": message,
        "truncated": False,
        "statusCode": None,
        "statusCodeName": None,
        "timings": dict.fromkeys(("total", "dns", "tcp", "tls", "firstByte", "download")),
        "tls": None,
    }


def lookup(*addresses: str, code: str = "NOERROR") -> Any:
    """A finished lookup."""
    return {
        "status": "finished",
        "rawOutput": "; <<>> DiG 9.16.37-Debian <<>> ...",
        "statusCodeName": code,
        "statusCode": {"NOERROR": 0, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}[code],
        "answers": [
            {"name": "site.", "type": "A", "ttl": 60, "class": "IN", "value": one} for one in addresses
        ],
        "timings": {"total": 12},
        "resolver": "private",
    }


def lookup_failed(message: str, source: str = "resolver") -> Any:
    return {
        "status": "failed",
        "failureSource": source,
        "rawOutput": message,
        "statusCodeName": None,
        "statusCode": None,
        "answers": [],
        "timings": {"total": 0},
        "resolver": None,
    }


World = Callable[[FakeProbe, str, str], Any]
"""(probe, type, target) -> result."""


def sound(_probe: FakeProbe, kind: str, _target: str) -> Any:
    """Everything works everywhere."""
    return page() if kind == "http" else lookup("104.244.42.1")


@dataclass(slots=True)
class FakeGlobalping:
    """A running server.

    Attributes:
        world: what tests give.
        now: ``createdAt`` of the next measurement.
        remaining: tests left in the hour.
        orders: bodies of accepted orders, in order.
        slow: answers ``in-progress`` so many times first.
    """

    probes: list[FakeProbe]
    world: World = sound
    now: str = "2026-11-20T10:00:00.000Z"
    limit: int = 250
    remaining: int = 250
    address: str = ""
    slow: int = 1
    prefix: str = "m"
    orders: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    _made: dict[str, tuple[dict[str, Any], list[FakeProbe], list[int]]] = field(default_factory=dict)

    def chosen(self, order: dict[str, Any]) -> list[FakeProbe] | None:
        """The probes; ``None`` = an id that is not known."""
        where = order.get("locations")
        if isinstance(where, str):
            return list(self._made[where][1]) if where in self._made else None
        taken: list[FakeProbe] = []
        for location in where or []:
            fits = [one for one in self.probes if _fits(one, location) and one not in taken]
            taken += fits[: location.get("limit", 1)]
        return taken

    def ordered(self, order: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        if fault := _fault(order):
            return 400, _error("validation_error", "Parameter validation failed.", fault), {}
        probes = self.chosen(order)
        if not probes:
            return 422, _error("no_probes_found", "No matching IPv4 probes available."), {}
        told = {"X-RateLimit-Limit": f"{self.limit}", "X-RateLimit-Reset": "1800"}
        if len(probes) > self.remaining:
            message = "This measurement exceeds the remaining hourly rate limit for your IP address."
            return 429, _error("rate_limit_exceeded", message), told | {"X-RateLimit-Remaining": "0"}
        self.remaining -= len(probes)
        name = f"{self.prefix}{len(self._made)}"
        self._made[name] = (order, probes, [self.slow])
        self.orders.append(order)
        return (
            202,
            {"id": name, "probesCount": len(probes)},
            told | {"X-RateLimit-Remaining": f"{self.remaining}"},
        )

    def answered(self, name: str) -> tuple[int, dict[str, Any]]:
        if name not in self._made:
            return 404, _error("not_found", "Couldn't find the requested item.")
        order, probes, left = self._made[name]
        is_done = left[0] <= 0
        left[0] -= 1
        unfinished = {"status": "in-progress", "rawOutput": ""}
        results = [
            {
                "probe": one.item,
                "result": self.world(one, order["type"], order["target"]) if is_done else unfinished,
            }
            for one in probes
        ]
        return 200, {
            "id": name,
            "type": order["type"],
            "status": "finished" if is_done else "in-progress",
            "createdAt": self.now,
            "updatedAt": self.now,
            "target": order["target"],
            "probesCount": len(probes),
            "measurementOptions": order.get("measurementOptions", {}),
            "results": results,
        }


def _fits(probe: FakeProbe, location: dict[str, Any]) -> bool:
    return (
        location.get("country", probe.country) == probe.country
        and location.get("asn", probe.asn) == probe.asn
        and all(tag == probe.tag for tag in location.get("tags", ()))
    )


def _fault(order: dict[str, Any]) -> dict[str, str]:
    """What the schema forbids."""
    kind = order.get("type")
    options = order.get("measurementOptions", {})
    where = order.get("locations")
    unknown = [
        *(order.keys() - KEYS),
        *(options.keys() - OPTIONS.get(str(kind), set())),
        *(options.get("request", {}).keys() - REQUEST),
        *(key for one in (where if isinstance(where, list) else ()) for key in one.keys() - LOCATION),
    ]
    if kind not in OPTIONS or not order.get("target") or unknown:
        return {name: f'"{name}" is not allowed' for name in unknown} or {"type": "is wrong"}
    return {}


def _error(kind: str, message: str, params: dict[str, str] | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {"type": kind, "message": message}
    return {"error": error | ({"params": params} if params else {}), "links": {}}


@contextmanager
def globalping(*probes: FakeProbe, **how: Any) -> Iterator[FakeGlobalping]:
    running = FakeGlobalping(list(probes), **how)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.headers.append({name.lower(): value for name, value in self.headers.items()})
            if self.path == "/v1/probes":
                self._say(200, [one.listed for one in running.probes])
            elif self.path == "/v1/limits":
                left = {"limit": running.limit, "remaining": running.remaining, "reset": 1800}
                self._say(200, {"rateLimit": {"measurements": {"create": {"type": "ip"} | left}}})
            else:
                self._say(*running.answered(self.path.removeprefix("/v1/measurements/")))

        def do_POST(self) -> None:
            running.headers.append({name.lower(): value for name, value in self.headers.items()})
            order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._say(*running.ordered(order))

        def _say(self, code: int, document: Any, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(document).encode()
            self.send_response(code)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
