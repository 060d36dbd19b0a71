"""Services: what OONI's probes ask of OONI's server besides reports: check-in, registration, a login, and what a
collector does not have.

At a check-in, a probe says where it is and how much it may use, and is told what to measure: by default what most
people use, in the categories of Citizen Lab's test lists; operators can download larger lists and name them with
``--urls``.

Other requests are answered, or refused as OONI's server would, with its own wording and status, so that a probe does
what it does when that server lacks the service: it skips the nettest, or submits without a credential.  A collector
hands out no bridges, tunnels or credentials, and shows no measurements: what it received is in its operator's store.

Follows ooni/backend at 32d8349d: ooniapi/services/ooniprobe/src/ooniprobe/routers/v1/probe_services.py (``check_in``,
``probe_geoip``, ``list_test_helpers``, ``register``, ``login``, ``sign_credential``, ``tor-targets``,
``psiphon-config``), .../routers/v2/vpn.py,
ooniapi/services/oonimeasurements/src/oonimeasurements/routers/v1/measurements.py (``measurement_meta``,
``raw_measurement``) and ooniapi/services/oonirun/src/oonirun/routers/v2.py.  What a probe asks and reads:
ooni/probe-cli at 7cb22410, internal/probeservices, and internal/model/ooapi.go (``OOAPICheckInResult``).
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from fanous.base.files import check_regular
from fanous.collector.origin import Origin
from fanous.collector.request import Refused, decoded
from fanous.collector.submission import asn_of, new_report_id
from fanous.errors import FanousError
from fanous.model.instant import DAY, to_iso
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.probe.orders import SignedOrders

NETTESTS = (
    *("bridge_reachability", "dash", "dns_consistency", "dnscheck", "facebook_messenger"),
    *("http_header_field_manipulation", "http_host", "http_invalid_request_line", "http_requests"),
    *("meek_fronted_requests_test", "multi_protocol_traceroute", "ndt", "psiphon", "riseupvpn"),
    *("tcp_connect", "telegram", "tor", "urlgetter", "vanilla_tor", "web_connectivity", "whatsapp"),
)
"""Nettests for which ``check_in`` opens a report."""

FEATURES = {
    "torsf_enabled": False,
    "vanilla_tor_enabled": False,
    "openvpn_enabled": False,
    "webconnectivity_0.5": True,
}
"""The features that ``check_in`` sets."""

MOST_URLS = {"manual": 9999, "charging": 100, "timed": 20}
"""``check_in``: the whole list when run manually, 100 URLs while charging, 20 on battery."""


class WebConnectivity(Struct):
    """The categories the probe wants; OONI's server also takes a comma-separated text."""

    category_codes: list[str] | str | None = None


class CheckIn(Struct):
    """Body of ``POST /api/v1/check-in`` (``class CheckIn``)."""

    run_type: str = "timed"
    probe_cc: str = UNKNOWN_COUNTRY
    probe_asn: str = "AS0"
    on_wifi: bool = False
    charging: bool = False
    software_name: str = ""
    software_version: str = ""
    web_connectivity: WebConnectivity | None = None


class ListedUrl(Struct, frozen=True):
    """One target (``TestListUrlsResult``); ``XX`` = for every country."""

    url: str
    category_code: str
    country_code: str = "XX"


_check_in = msgspec.json.Decoder(CheckIn)


def check_in(
    body: bytes,
    seen: Origin,
    urls: Sequence[ListedUrl],
    helper: str,
    now: float,
    random: Callable[[], bytes],
    orders: SignedOrders | None = None,
) -> dict[str, Any]:
    """What to measure.

    Args:
        seen: where the client is according to its address; the probe is told this.
        helper: URL of the test helper.
        now: unix seconds, UTC.
        random: source of the random part of a report's id.
        orders: the organisation's orders to its own probes; our extension of the protocol (``x_orders``).

    Raises:
        Refused: 422 if a field has the wrong type, as OONI's server does.
    """
    asked = decoded(_check_in, body, "a check-in")
    country, asn = asked.probe_cc, asked.probe_asn
    if country.upper() == UNKNOWN_COUNTRY and not asn_of(asn):
        country, asn = seen.country, f"AS{seen.asn}"
    tests: dict[str, dict[str, Any]] = {
        name: {"report_id": str(new_report_id(name, country, asn, now, random()))} for name in NETTESTS
    }
    tests["web_connectivity"]["urls"] = _chosen(asked, country.upper(), urls)
    return {
        "v": 1,
        "probe_cc": seen.country,
        "probe_asn": f"AS{seen.asn}",
        "probe_network_name": None,
        "utc_time": to_iso(now),
        "conf": {"features": FEATURES, "test_helpers": known_helpers(helper)},
        "tests": tests,
    } | ({"x_orders": orders} if orders else {})


def known_helpers(helper: str) -> dict[str, list[dict[str, str]]]:
    """Answer to ``GET /api/v1/test-helpers``; we run the helper that current probes use."""
    return {"web-connectivity": [{"address": helper, "type": "https"}]}


def _chosen(asked: CheckIn, country: str, urls: Sequence[ListedUrl]) -> list[ListedUrl]:
    codes = (asked.web_connectivity.category_codes if asked.web_connectivity else None) or []
    wanted = set(codes.split(",") if isinstance(codes, str) else codes)
    mode = "manual" if asked.run_type == "manual" else "charging" if asked.charging else "timed"
    fitting = [
        url
        for url in urls
        if url.country_code in ("XX", country) and (not wanted or url.category_code in wanted)
    ]
    return fitting[: MOST_URLS[mode]]


DEFAULT_URLS = tuple(
    ListedUrl(f"https://{host}/", category)
    for category, hosts in {
        "GRP": ("x.com", "www.facebook.com", "www.instagram.com", "www.tiktok.com", "www.reddit.com"),
        "MMED": ("www.youtube.com", "vimeo.com", "soundcloud.com"),
        "COMT": ("web.whatsapp.com", "telegram.org", "signal.org", "discord.com", "zoom.us"),
        "CULTR": ("www.wikipedia.org",),
        "SRCH": ("www.google.com",),
    }.items()
    for host in hosts
)


def read_urls(path: Path) -> tuple[ListedUrl, ...]:
    """A test list in Citizen Lab's format: ``url,category_code,...`` with a header, one target per row.

    A column ``country_code`` is optional; without it a list is for every country.

    Raises:
        FanousError: it cannot be read, or lacks these columns.
    """
    check_regular(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"url", "category_code"} <= set(rows.fieldnames or ()):
                raise FanousError(f"{path}: a test list needs the columns url and category_code")
            return tuple(
                ListedUrl(row["url"], row["category_code"], (row.get("country_code") or "XX").upper())
                for row in rows
                if (row["url"] or "").startswith(("http://", "https://"))
            )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FanousError(f"cannot read the test list {path}: {error}") from error


# --- what a collector does not have -------------------------------------------------------------------------

NOT_HERE: dict[str, tuple[str, int, str, str]] = {
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


_register = msgspec.json.Decoder(ProbeRegister)
_login = msgspec.json.Decoder(ProbeLogin)


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
