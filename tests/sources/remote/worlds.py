"""Rounds against the fake Globalping, for tests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fanous.analysis.rules import judge
from fanous.model.measurement import ParsedMeasurement, Record
from fanous.model.verdict import Verdict
from fanous.pipeline.remote import RemotePlan, budget_of, measure_globalping, plan_globalping
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.fetch import Waits
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.remote.client import GlobalpingClient, RemoteServer
from tests.sources.remote.fake_globalping import DATACENTRE, FakeGlobalping, FakeProbe

X = "https://x.com/"
PAKISTAN = (FakeProbe("PK", 17557), FakeProbe("PK", 17557), FakeProbe("PK", 45669))
ABROAD = (
    FakeProbe("DE", 24940, DATACENTRE),
    FakeProbe("US", 16509, DATACENTRE),
    FakeProbe("SG", 14061, DATACENTRE),
)


@contextmanager
def client_of(
    server: FakeGlobalping, token: str = "", waits: Waits | None = None
) -> Iterator[GlobalpingClient]:
    waits = waits or Waits(sleep=lambda _: None)
    with RemoteServer("globalping", server.address, token, waits) as asked:
        yield GlobalpingClient(asked.answer, waits)


def planned(server: FakeGlobalping, urls: Sequence[str] = (X,), turn: int = 0) -> RemotePlan:
    with client_of(server) as client:
        return plan_globalping("PK", urls, client.probes(), budget_of(client), turn)


def lines_of(
    server: FakeGlobalping, urls: Sequence[str] = (X,), said: list[str] | None = None
) -> list[bytes]:
    """The records of one round."""
    with client_of(server) as client:
        wanted = plan_globalping("PK", urls, client.probes(), budget_of(client))
        heard: list[str] = [] if said is None else said
        return list(measure_globalping(client, wanted, heard.append))


def judged(line: bytes) -> tuple[ParsedMeasurement, tuple[Verdict, ...]]:
    parsed = MEASUREMENT_SOURCES["globalping"].parse(Record("globalping", line))
    return parsed, judge(parsed, fingerprints())
