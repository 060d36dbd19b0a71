"""Every request gets the answer of OONI's server, or a status with a reason."""

import gzip
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from backports import zstd

from fanous.collector.door import Policy
from fanous.collector.inbox import APART
from fanous.collector.limits import RateLimit, RateLimits
from fanous.collector.origin import Origin, trusted_proxies
from fanous.collector.services import ListedUrl
from tests.collector.probe import OPEN, REPORT_ID, body
from tests.collector.threads import connected, door, read_all

UNPLACED = REPORT_ID.replace("_PK_17557_", "_ZZ_0_")
SLOW = RateLimits(RateLimit(0.01, 2), RateLimit(10, 100))


class Here:
    """Every address is in Pakistan."""

    def of(self, _address: str, /) -> Origin:
        return Origin("PK", 17557)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("inbox")


@pytest.fixture(scope="module")
def probe(inbox: Path) -> Iterator[httpx.Client]:
    with door(inbox, Policy(urls=[ListedUrl("https://x.com/", "GRP")], window=0.5)) as client:
        yield client


def kept(folder: Path) -> list[dict[str, Any]]:
    paths = sorted(folder.glob("*.jsonl*"))
    return [msgspec.json.decode(line) for path in paths for line in path.read_bytes().splitlines()]


def test_a_report_is_opened_filled_and_closed(probe: httpx.Client, inbox: Path) -> None:
    opened = probe.post("/report", json=OPEN)
    assert opened.status_code == 200 and opened.headers["cache-control"] == "no-cache"
    path = f"/report/{opened.json()['report_id']}"
    uid = probe.post(path, json=body(1)).json()["measurement_uid"]
    assert probe.post(f"{path}/close").json() == {}
    assert uid in {one["measurement_uid"] for one in kept(inbox)}


def test_a_measurement_without_a_report_is_kept_and_one_address_is_one_report(
    probe: httpx.Client, inbox: Path
) -> None:
    sent = [msgspec.json.encode(body(number)["content"]).decode() for number in (71, 72, 71)]
    answers = [
        probe.post("/api/v1/submit_measurement", json={"format": "json", "content": one}).json()
        for one in sent
    ]
    assert len({one["report_id"] for one in answers}) == 1
    assert answers[0]["measurement_uid"] == answers[2]["measurement_uid"]
    assert (answers[0]["verification_status"], answers[0]["error"]) == ("unverified", None)
    assert answers[0]["protocol_version"] == "0.1.0"
    uids = [one["measurement_uid"] for one in kept(inbox)]
    assert all(answer["measurement_uid"] in uids for answer in answers)


def test_without_a_manifest_a_client_sends_no_credential(probe: httpx.Client) -> None:
    assert probe.get("/api/v1/manifest").status_code == 404


def test_bad_metadata_is_refused_in_the_words_of_ooni_s_server(probe: httpx.Client) -> None:
    answer = probe.post(f"/report/{REPORT_ID}", json=body(1, probe_asn="AS017557", probe_cc="pk"))
    detail = {"error": "bad_metadata", "message": "Errors: ['bad_cc', 'asn_leading_zero']"}
    assert (answer.status_code, answer.json()["detail"]) == (400, detail)


@pytest.mark.parametrize(("encoding", "compress"), [("zstd", zstd.compress), ("gzip", gzip.compress)])
def test_a_compressed_measurement_is_taken(
    encoding: str, compress: Any, probe: httpx.Client, inbox: Path
) -> None:
    sent = compress(msgspec.json.encode(body(2, input=f"https://{encoding}.example/")))
    answer = probe.post(f"/report/{REPORT_ID}", content=sent, headers={"content-encoding": encoding})
    assert answer.json()["measurement_uid"]
    assert f"https://{encoding}.example/" in {one["input"] for one in kept(inbox)}


def test_a_large_measurement_is_taken(probe: httpx.Client, inbox: Path) -> None:
    page = "x" * (3 << 20)
    answer = probe.post(
        f"/report/{REPORT_ID}", json=body(3, test_keys={"requests": [{"response": {"body": page}}]})
    )
    assert answer.status_code == 200
    requests = [request for one in kept(inbox) for request in one["test_keys"].get("requests", [])]
    bodies = [request["response"]["body"] for request in requests]
    assert [len(body) for body in bodies if body.startswith("x" * 1000)] == [len(page)], "its end is not read"


def test_a_measurement_of_no_known_network_is_acknowledged_and_kept_apart(
    probe: httpx.Client, inbox: Path
) -> None:
    answer = probe.post(f"/report/{UNPLACED}", json=body(4, probe_cc="ZZ", probe_asn="AS0"))
    uid, told = answer.json()["measurement_uid"], answer.json()["x_apart"]
    assert told == "place_unknown"
    assert uid in {one["measurement_uid"] for one in kept(inbox / APART)}
    assert uid not in {one["measurement_uid"] for one in kept(inbox)}


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/report", b"{}", 422),
        ("/report", b"{" * 100_000, 413),
        ("/report/not_an_id", msgspec.json.encode(body()), 400),
        (f"/report/{REPORT_ID}", b"", 400),
        ("/api/v1/submit_measurement", b"{}", 422),
        ("/api/v1/submit_measurement", b'{"content":"{}"}', 400),
        (f"/report/{REPORT_ID}", b'{"content":{}}', 400),
        (f"/report/{REPORT_ID}", msgspec.json.encode(body(probe_cc="IR")), 400),
        ("/api/v1/check-in", b"[]", 422),
        ("/", b"{}", 400),
        ("/", b'{"http_request":"http://127.0.0.1/"}', 400),
        ("/nowhere", b"", 404),
        ("/api/v1/test-helpers", b"", 405),
    ],
)
def test_what_is_not_served_is_refused_with_a_reason(
    path: str, sent: bytes, status: int, probe: httpx.Client
) -> None:
    answer = probe.post(path, content=sent)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_body_that_says_it_is_too_large_is_not_read(probe: httpx.Client) -> None:
    with connected(probe) as connection:
        head = f"POST /report/{REPORT_ID} HTTP/1.1\r\nHost: c\r\nContent-Length: 99999999999\r\n\r\n"
        connection.sendall(head.encode() + b"x")
        assert read_all(connection).startswith(b"HTTP/1.1 413 ")


def test_a_body_without_a_length_is_cut_at_the_limit(probe: httpx.Client) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(5):
            yield b"x" * 20_000

    answer = probe.post("/report", content=endless())
    assert answer.status_code == 413


def test_a_body_without_an_end_is_not_read_to_the_end(probe: httpx.Client) -> None:
    sent = 0
    with connected(probe) as connection, suppress(ConnectionError):
        connection.sendall(b"POST /report HTTP/1.1\r\nHost: c\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent < 64 << 20:
            connection.sendall(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
            sent += 1 << 16
    assert sent < 64 << 20


def test_a_slow_body_is_not_waited_for(probe: httpx.Client) -> None:
    with connected(probe) as connection:
        head = f"POST /report/{REPORT_ID} HTTP/1.1\r\nHost: c\r\nContent-Length: 3000\r\n\r\n"
        connection.sendall(head.encode() + b"{")
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"connection: close" in answer.lower()


def test_a_probe_that_checks_in_gets_a_list_a_helper_and_reports(probe: httpx.Client) -> None:
    answer = probe.post("/api/v1/check-in", json={"probe_cc": "PK", "probe_asn": "AS17557"}).json()
    assert answer["tests"]["web_connectivity"]["urls"][0]["url"] == "https://x.com/"
    own = {"address": str(probe.base_url).rstrip("/"), "type": "https"}
    assert answer["conf"]["test_helpers"]["web-connectivity"] == [own]
    assert probe.get("/api/v1/test-helpers").json()["web-connectivity"] == [own]


def test_the_test_helper_says_that_it_lives(probe: httpx.Client) -> None:
    assert probe.get("/").json() == {"message": "Hello OONItarian!"}


def test_a_client_that_calls_too_often_is_told_to_wait(tmp_path: Path) -> None:
    with door(tmp_path, Policy(submissions=SLOW, helper=SLOW)) as client:
        answers = [client.post("/report", json=OPEN) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert 90 <= int(answers[2].headers["retry-after"]) <= 110
        assert client.post("/api/v1/check-in", json={}).status_code == 429
        asks = [client.post("/", json={"http_request": "http://10.0.0.1/"}) for _ in range(3)]
        assert [answer.status_code for answer in asks] == [400, 400, 429]


def test_behind_a_proxy_each_client_has_its_own_limit(tmp_path: Path) -> None:
    policy = Policy(submissions=SLOW, trusted=trusted_proxies(["127.0.0.1"]))
    with door(tmp_path, policy) as client:
        statuses = [
            client.post("/report", json=OPEN, headers={"x-forwarded-for": f"198.51.{n}.1"}).status_code
            for n in (1, 1, 1, 2)
        ]
    assert statuses == [200, 200, 429, 200]


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_proxy_that_is_not_named_is_refused_and_the_key_is_named(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise all senders would have its address."""
    said = {"X-Forwarded-For": "198.51.100.1", "Forwarded": "for=198.51.100.1", "X-Real-IP": "198.51.100.1"}
    requests = {"/report": OPEN, f"/report/{REPORT_ID}": body(1), "/api/v1/check-in": {}, "/": {}}
    for trusted in ([], ["10.0.0.0/8"]):
        inbox = tmp_path / str(trusted)
        with door(inbox, Policy(trusted=trusted_proxies(trusted))) as client:
            for path, sent in requests.items():
                answer = client.post(path, json=sent, headers={name: said[name]})
                assert answer.status_code == 503, path
                assert "trust_proxy of [collector] (or --trust-proxy)" in answer.json()["detail"]
        assert kept(inbox) == []
    logged = [one.getMessage() for one in caplog.records if "trust_proxy" in one.getMessage()]
    assert len(logged) == 2, "once for each door"
    assert "127.0.0.1" not in " ".join(logged), "it may be a volunteer's address"


def test_a_proxy_that_is_named_may_say_more_than_the_address(tmp_path: Path) -> None:
    headers = {
        "X-Forwarded-For": "198.51.100.1",
        "Forwarded": "for=198.51.100.1",
        "X-Real-IP": "198.51.100.1",
    }
    with door(tmp_path, Policy(trusted=trusted_proxies(["127.0.0.1"]))) as client:
        assert client.post("/report", json=OPEN, headers=headers).status_code == 200


def test_what_the_address_says_fills_in_what_a_probe_leaves_open(tmp_path: Path) -> None:
    with door(tmp_path, Policy(origins=Here())) as client:
        answer = client.post(f"/report/{UNPLACED}", json=body(5, probe_cc="ZZ", probe_asn="AS0"))
        assert answer.status_code == 200
    (one,) = kept(tmp_path)
    assert (one["probe_cc"], one["probe_asn"]) == ("PK", "AS17557")
