"""Credentials: verified uploads a second next to unverified ones, and honest uploads next to forged proofs.

    python -m benchmarks credentials

The collector is the command, on all cores, shared with its clients; the proofs are made beforehand by OONI's own
client half, and each upload claims another address through a trusted proxy, so that the budget of proofs stops only
the forgers.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence

import httpx
import msgspec
from benchmarks.peers.collect import _port_of, request
from benchmarks.peers.figure import Figure
from ooniauth_py import UserState, get_protocol_version

UPLOADS, FORGED, HONEST = 600, 10_000, 100
CLIENTS = 8
PATH = "/api/v1/submit_measurement"
OPTIONS = (
    "--listen",
    "127.0.0.1:0",
    "--per-address",
    "100000",
    "--networks",
    "none",
    "--trust-proxy",
    "127.0.0.1",
)


def content(number: int) -> str:
    """A measurement of 3 KB as text."""
    whole = msgspec.json.decode(request(number).partition(b"\r\n\r\n")[2])
    return msgspec.json.encode(whole["content"]).decode()


class Volunteer:
    """A registered client of a collector."""

    def __init__(self, url: str) -> None:
        manifest = httpx.get(f"{url}/api/v1/manifest").json()
        self.version = manifest["meta"]["version"]
        policy = manifest["manifest"]["submission_policy"][0]["policy"]
        self.ranges = tuple(policy["age"]), policy["min_measurement_count"]
        self.user = UserState(manifest["manifest"]["public_parameters"])
        asked = {
            "manifest_version": self.version,
            "credential_sign_request": self.user.make_registration_request(),
        }
        answer = httpx.post(f"{url}/api/v1/sign_credential", json=asked).raise_for_status().json()
        self.user.handle_registration_response(answer["credential_sign_response"])

    def body(self, number: int, *, proved_for: int | None = None) -> bytes:
        """An upload; one that is proved for another measurement is forged."""
        text = content(number)
        of = text if proved_for is None else content(proved_for)
        (first, last), count = self.ranges
        proof = self.user.make_submit_request_with_hash("PK", "AS17557", of, (first, last), count)
        return msgspec.json.encode(
            {
                "format": "json",
                "content": text,
                "nym": proof.nym,
                "zkp_request": proof.request,
                "manifest_version": self.version,
                "protocol_version": get_protocol_version(),
            }
        )


async def sent(
    url: str, bodies: Sequence[bytes], addresses: Iterable[str], clients: int
) -> tuple[list[float], list[str]]:
    """Seconds that each took, and the status of each."""
    waiting = iter(zip(bodies, addresses, strict=False))
    took: list[float] = []
    statuses: list[str] = []

    async def client() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=False) as session:
            for body, address in waiting:
                began = time.perf_counter()
                answer = await session.post(PATH, content=body, headers={"X-Forwarded-For": address})
                took.append(time.perf_counter() - began)
                statuses.append(answer.raise_for_status().json()["verification_status"])

    await asyncio.gather(*(client() for _ in range(clients)))
    return took, statuses


def networks(begin: int = 0) -> Iterable[str]:
    """Addresses, each in another network."""
    return (f"39.{begin + number // 250}.{number % 250}.1" for number in range(10**6))


def ninety_nine(what: str, took: Sequence[float]) -> Figure:
    within = statistics.quantiles(took, n=100)[98] * 1e3
    return Figure(f"{what}: 99 of 100 within", round(within, 1), "ms")


def rates(url: str, what: str, bodies: Sequence[bytes], status: str) -> list[Figure]:
    began = time.perf_counter()
    took, statuses = asyncio.run(sent(url, bodies, networks(), CLIENTS))
    seconds = time.perf_counter() - began
    assert set(statuses) == {status}, set(statuses)
    rate = Figure(f"{what} uploads", round(len(bodies) / seconds, 1), "1/s", f"of {CLIENTS} clients")
    return [rate, ninety_nine(what, took)]


async def flooded(url: str, honest: Sequence[bytes], forged: bytes) -> tuple[list[float], list[str]]:
    """Honest uploads, a tenth of a second apart, while a forger sends over thirty connections of one network.

    Returns:
        What ``sent`` says of the honest ones.
    """

    async def volunteer() -> tuple[list[float], list[str]]:
        took: list[float] = []
        statuses: list[str] = []
        for body, address in zip(honest, networks(100), strict=False):
            one, status = await sent(url, [body], [address], 1)
            took, statuses = took + one, statuses + status
            await asyncio.sleep(0.1)
        return took, statuses

    liars = asyncio.create_task(sent(url, [forged] * FORGED, ["203.0.113.1"] * FORGED, 30))
    took, statuses = await volunteer()
    await liars
    return took, statuses


def measured() -> list[Figure]:
    """A collector and its clients on all cores."""
    with tempfile.TemporaryDirectory() as folder:
        places = ("--inbox", f"{folder}/inbox", "--credentials", f"{folder}/credentials.json")
        collector = subprocess.Popen(
            [sys.executable, "-m", "fanous", "collect", *OPTIONS, *places],
            stderr=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "FANOUS_STORE"},
        )
        try:
            url = f"http://127.0.0.1:{_port_of(collector)}"
            volunteer = Volunteer(url)
            plain = [msgspec.json.encode({"format": "json", "content": content(n)}) for n in range(UPLOADS)]
            figures = rates(url, "unverified", plain, "unverified")
            proved = [volunteer.body(UPLOADS + n) for n in range(UPLOADS)]
            figures += rates(url, "verified", proved, "verified")
            honest = [volunteer.body(2 * UPLOADS + n) for n in range(HONEST)]
            took, statuses = asyncio.run(flooded(url, honest, volunteer.body(3 * UPLOADS, proved_for=1)))
            verified = Figure(f"verified next to {FORGED:,} forged", statuses.count("verified"), "uploads")
            return [*figures, ninety_nine(f"next to {FORGED:,} forged", took), verified]
        finally:
            collector.terminate()
            collector.communicate(timeout=30)
