"""What today's ooniprobe asks besides check-in and reports: answered, or refused in OONI's words.

The expected answers are those of ooni/backend at 32d8349d; ``collector.services`` names the files.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fanous.collector.door import Policy
from tests.collector.threads import door

REGISTER = {
    "password": "x" * 64,
    "platform": "linux",
    "probe_asn": "AS17557",
    "probe_cc": "PK",
    "software_name": "ooniprobe-cli",
    "software_version": "3.31.0",
    "supported_tests": ["web_connectivity"],
}


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    policy = Policy(clock=lambda: 1_702_828_800.0)
    with door(Path(tmp_path_factory.mktemp("services")) / "inbox", policy) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "detail"),
    [
        ("GET", "/api/v1/test-list/tor-targets?country_code=PK", None, 401, "Invalid tor-targets"),
        ("GET", "/api/v1/test-list/psiphon-config", None, 401, "Invalid psiphon-config"),
        ("GET", "/api/v2/ooniprobe/vpn-config/riseupvpn", None, 404, "provider not found"),
        ("GET", "/api/v2/oonirun/links/10426", None, 404, "OONI Run link not found"),
        ("GET", "/api/v2/oonirun/links/10426/revisions", None, 404, "OONI Run link not found"),
        ("GET", "/api/v2/oonirun/links/10426/full-descriptor/1", None, 404, "OONI Run link not found"),
        (
            *("POST", "/api/v2/oonirun/links/10426/engine-descriptor/latest"),
            *({"run_type": "manual"}, 404, "OONI Run link not found"),
        ),
        (
            *("POST", "/api/v1/sign_credential"),
            *({"manifest_version": "v7", "credential_sign_request": "AA=="}, 404),
            {"error": "manifest_not_found", "message": "No manifest with version 'v7' was found"},
        ),
        ("POST", "/api/v1/login", {}, 401, "Missing credentials"),
        ("GET", "/api/v1/raw_measurement", None, 400, "Either report_id or measurement_uid must be provided"),
        (
            *("GET", "/api/v1/measurement_meta", None, 400),
            "Missing measurement_uid or report_id. You should provide at the least one",
        ),
    ],
)
def test_what_is_not_here_is_refused_as_oonis_server_does(
    method: str, path: str, sent: Any, status: int, detail: Any, probe: httpx.Client
) -> None:
    answer = probe.request(method, path, json=sent)
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/api/v1/register", {name: REGISTER[name] for name in REGISTER if name != "probe_cc"}),
        ("/api/v1/register", REGISTER | {"supported_tests": "web_connectivity"}),
        ("/api/v1/login", {"username": 7}),
        ("/api/v1/sign_credential", {"manifest_version": "v7"}),
    ],
)
def test_a_request_with_a_wrong_field_is_422(path: str, sent: Any, probe: httpx.Client) -> None:
    assert probe.post(path, json=sent).status_code == 422


def test_a_probe_that_registers_and_logs_in_gets_what_it_waits_for(probe: httpx.Client) -> None:
    first, second = (probe.post("/api/v1/register", json=REGISTER).json()["client_id"] for _ in range(2))
    assert first != second
    login = {"username": first, "password": REGISTER["password"]}
    answer = probe.post("/api/v1/login", json=login).json()
    assert re.fullmatch(r"[\w-]{24}", answer["token"])
    assert datetime.fromisoformat(answer["expire"]) == datetime.fromisoformat("2023-12-24T16:00:00Z")


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/api/v1/measurement_meta?measurement_uid=2023_PK", {}),
        ("/api/v1/measurement_meta?report_id=2023_PK&full=true", {"raw_measurement": ""}),
        (
            "/api/v1/measurement_meta?report_id=2023_PK&full=True&input=https%3A%2F%2Fx.com",
            {"raw_measurement": ""},
        ),
        ("/api/v1/raw_measurement?measurement_uid=2023_PK", {}),
    ],
)
def test_no_measurement_is_shown(path: str, answer: Any, probe: httpx.Client) -> None:
    assert probe.get(path).json() == answer
