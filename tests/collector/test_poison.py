"""A poisoned body costs only its own request: it is refused by name or kept in its time, while others are served."""

import json
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from fanous.collector.door import Policy
from fanous.collector.limits import RateLimit, RateLimits
from fanous.sources.ooni.document import DOOR_SECONDS, MOST_REPAIRS
from tests.collector.probe import REPORT_ID, measurement
from tests.collector.threads import door

MARK = '"@@"'
"""Placeholder in a measurement for what JSON written by a library would not hold."""


def sent(raw: str = "", **fields: object) -> str:
    return json.dumps(measurement() | fields).replace(MARK, raw)


POISON: dict[str, tuple[Callable[[], str], int, str]] = {
    "a megabyte of blanks": (
        lambda: sent().replace('"probe_ip":', '"probe_ip":' + " " * (1 << 20), 1),
        200,
        "",
    ),
    "8,000 addresses": (
        lambda: sent(test_keys={"x": [{"client_ip": f"2a02:{n:x}::1"} for n in range(8000)]}),
        200,
        "",
    ),
    "4,000 addresses in 100 kB": (
        lambda: sent(test_keys={"x": " ".join(f"10.{n % 250}.9.{n % 251}" for n in range(4000))}),
        200,
        "",
    ),
    "texts that look like addresses": (
        lambda: sent(probe_ip="198.51.100.7", input="0::" * 2_000_000),
        400,
        "too costly",
    ),
    "values of another type": (
        lambda: sent(test_keys={"queries": [{"hostname": n} for n in range(MOST_REPAIRS + 1)]}),
        400,
        "too costly",
    ),
    "millions of values": (lambda: sent("0," * 3_000_000 + "0", test_keys={"x": ["@@"]}), 400, "too costly"),
    "deep nesting": (lambda: sent("[" * 100_000 + "]" * 100_000, test_keys="@@"), 400, "nested deeper than"),
    "a number of 5,000 digits": (lambda: sent("1" * 5000, test_keys={"x": "@@"}), 400, "out of range"),
    "infinity": (lambda: sent("1e999", test_keys={"x": "@@"}), 400, "out of range"),
    "half a character": (lambda: sent('"\\ud800"', test_keys={"x": "@@"}), 400, "malformed"),
    "a number beyond 64 bits": (lambda: sent(test_keys={"x": 2**70}, input=-(2**70)), 200, ""),
    "an endless URL": (
        lambda: sent(test_keys={"requests": [{"request": {"url": "http://x.example/" + "a1" * 3_000_000}}]}),
        200,
        "",
    ),
}
"""What is sent, and the status and the word with which it is answered."""

MANY = RateLimits(RateLimit(1000, 10_000), RateLimit(1000, 10_000))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    volume = RateLimits(RateLimit(1 << 30, 1 << 40), RateLimit(1 << 30, 1 << 40))
    with door(tmp_path_factory.mktemp("inbox"), Policy(submissions=MANY, volume=volume)) as client:
        yield client


@pytest.mark.parametrize("name", POISON)
@pytest.mark.parametrize("alone", [False, True], ids=["in a report", "alone"])
def test_a_poisoned_measurement_is_refused_by_name_or_kept_in_its_time(
    name: str, alone: bool, client: httpx.Client
) -> None:
    made, status, word = POISON[name]
    content = made()
    path = "/api/v1/submit_measurement" if alone else f"/report/{REPORT_ID}"
    body = json.dumps({"content": content}) if alone else f'{{"content":{content}}}'
    began = time.process_time()
    answer = client.post(path, content=body.encode())
    assert time.process_time() - began < 2 * DOOR_SECONDS
    assert answer.status_code == status, answer.text[:300]
    assert word in answer.text


def test_a_get_during_any_body_of_100_kb_is_quick(client: httpx.Client) -> None:
    over, took = threading.Event(), []
    bodies = [f'{{"content":{made()}}}'[:103_000].encode() for made, _, _ in POISON.values()]
    paths = [f"/report/{REPORT_ID}"] * len(bodies)
    for path in ("/report", "/api/v1/check-in", "/api/v1/register", "/api/v1/login", "/"):
        for poison in (b"[" * 64_000, b'{"test_name":"' + b"\\u0041" * 10_000, b'{"x":[' + b"0," * 32_000):
            paths.append(path)
            bodies.append(poison[: 64 << 10])

    def send() -> None:
        with httpx.Client(base_url=client.base_url, trust_env=False, timeout=60) as sender:
            while not over.is_set():
                for path, body in zip(paths, bodies, strict=True):
                    sender.post(path, content=body)

    senders = [threading.Thread(target=send) for _ in range(2)]
    for one in senders:
        one.start()
    for _ in range(40):
        began = time.monotonic()
        assert client.get("/").status_code == 200
        took.append(time.monotonic() - began)
        time.sleep(0.02)
    over.set()
    for one in senders:
        one.join()
    assert sorted(took)[-3] < 0.5, "but for two, which the machine may have been busy with"
