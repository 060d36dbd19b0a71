"""Services: other requests of OONI's probes to OONI's server, besides check-in and reports; answered, or refused as
it would.

Follows ooni/backend at 32d8349d: ooniapi/services/ooniprobe/src/ooniprobe/routers/v1/probe_services.py (``register``,
``login``, ``sign_credential``, ``tor-targets``, ``psiphon-config``), .../routers/v2/vpn.py,
ooniapi/services/oonimeasurements/src/oonimeasurements/routers/v1/measurements.py (``measurement_meta``,
``raw_measurement``) and ooniapi/services/oonirun/src/oonirun/routers/v2.py.  What a probe asks: ooni/probe-cli at
7cb22410, internal/probeservices.

A refusal has OONI's own wording and status, so that a probe does what it does when OONI's server lacks the service: it
skips the nettest, or submits without a credential.  A collector hands out no bridges, tunnels or credentials, and shows
no measurements: what it received is in its operator's store.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from fanous.collector.request import Refused, decoded
from fanous.model.instant import DAY, to_iso

NOT_HERE: dict[str, tuple[str, int, str, str]] = {
    "/api/v1/manifest": ("GET", 404, "No manifest: credentials cannot be checked here", "manifest_not_found"),
    "/api/v1/test-list/tor-targets": ("GET", 401, "Invalid tor-targets", ""),
    "/api/v1/test-list/psiphon-config": ("GET", 401, "Invalid psiphon-config", ""),
    "/api/v2/ooniprobe/vpn-config/{provider}": ("GET", 404, "provider not found", ""),
    "/api/v2/oonirun/links/{link}": ("GET", 404, "OONI Run link not found", ""),
    "/api/v2/oonirun/links/{link}/revisions": ("GET", 404, "OONI Run link not found", ""),
    "/api/v2/oonirun/links/{link}/full-descriptor/{revision}": ("GET", 404, "OONI Run link not found", ""),
    "/api/v2/oonirun/links/{link}/engine-descriptor/{revision}": ("POST", 404, "OONI Run link not found", ""),
}
"""Path -> method, status, OONI's words, OONI's code (empty = it has none)."""

TOKEN_BYTES = 18
"""Random bytes of a client's id and of a token: 24 characters."""

TOKEN_DAYS = 7
"""Life of a token, as in ``probe_login_post``."""


class ProbeRegister(Struct):
    """Body of ``POST /api/v1/register``; none of it is kept, but it must be present."""

    password: str
    platform: str
    probe_asn: str
    probe_cc: str
    software_name: str
    software_version: str
    supported_tests: list[str]


class ProbeLogin(Struct):
    """Body of ``POST /api/v1/login``."""

    username: str | None = None
    password: str | None = None


class SignCredential(Struct):
    """Body of ``POST /api/v1/sign_credential``."""

    manifest_version: str
    credential_sign_request: str


_register = msgspec.json.Decoder(ProbeRegister)
_login = msgspec.json.Decoder(ProbeLogin)
_sign = msgspec.json.Decoder(SignCredential)


def registered(body: bytes, random: str) -> dict[str, str]:
    """Answer to ``POST /api/v1/register``: an id that is not stored.

    Raises:
        Refused: 422 if a field is missing or has the wrong type.
    """
    decoded(_register, body, "a registration")
    return {"client_id": random}


def logged_in(body: bytes, random: str, now: float) -> dict[str, str]:
    """Answer to ``POST /api/v1/login``: a token that opens nothing, since nothing here needs one.

    Raises:
        Refused: 401 without a name or password, 422 if one has the wrong type.
    """
    asked = decoded(_login, body, "a login")
    if asked.username is None or asked.password is None:
        raise Refused(401, "Missing credentials")
    return {"token": random, "expire": to_iso(now + TOKEN_DAYS * DAY)}


def refuse_to_sign(body: bytes) -> None:
    """
    Raises:
        Refused: always: 404, since no manifest is known here; 422 if the request is not valid.
    """
    asked = decoded(_sign, body, "a request for a credential")
    version = asked.manifest_version[:80]
    raise Refused(404, f"No manifest with version '{version}' was found", error="manifest_not_found")


def no_measurement(query: Mapping[str, str], *, raw: bool) -> dict[str, str]:
    """Answer to ``measurement_meta`` or ``raw_measurement``: the measurement is not known.

    Raises:
        Refused: 400 if the request names none.
    """
    if not (query.get("measurement_uid") or query.get("report_id")):
        missing = (
            "Either report_id or measurement_uid must be provided"
            if raw
            else "Missing measurement_uid or report_id. You should provide at the least one"
        )
        raise Refused(400, missing)
    is_full = query.get("full", "").lower() in ("true", "1", "on", "yes", "t", "y")
    return {"raw_measurement": ""} if is_full and not raw else {}
