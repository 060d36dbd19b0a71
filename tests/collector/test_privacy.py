"""The address of a probe is written nowhere: not in the inbox, the store, the spool or the logs."""

import asyncio
from base64 import b64encode
from pathlib import Path

import msgspec

from fanous.collector.inbox import inbox_of
from fanous.probe.spool import Spool
from fanous.probe.upload import Uploader
from fanous.store.local import open_store
from tests.collector.probe import OPEN, REPORT_ID, body, measurement
from tests.collector.server import PATIENT, client, collector
from tests.planted import CAME_FROM, left_in, planted, with_bodies

ADDRESS = "203.0.113.77"
FORMS = (
    ADDRESS.encode(),
    b"203-0-113-77",
    ADDRESS.encode("utf-16-le"),
    bytes([203, 0, 113, 77]),
    b64encode(f"you are {ADDRESS}".encode()),
    b"2001:db8::77",
)


def written(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def holding(files: dict[Path, bytes]) -> list[Path]:
    return [path for path, content in files.items() if any(form in content for form in FORMS)]


def test_no_address_is_written_anywhere(tmp_path: Path) -> None:
    store = tmp_path / "store"
    seen = {
        "headers": {"X-Forwarded-For": ADDRESS},
        "body": f"you are {ADDRESS}",
        "raw": {"data": b64encode(f"you are {ADDRESS}".encode()).decode(), "format": "base64"},
    }
    told = {"test_keys": {"requests": [{"response": seen}], "client_resolver": ADDRESS}, "input": ADDRESS}
    options = ("--store", str(store), "--trust-proxy", "127.0.0.1")
    with collector(*options, code=PATIENT) as running, client(running) as probe:
        probe.headers["x-forwarded-for"] = ADDRESS
        report = probe.post("/report", json=OPEN).json()["report_id"]
        unplaced = REPORT_ID.replace("_PK_17557_", "_ZZ_0_")
        assert probe.post(f"/report/{report}", json=body(1, probe_ip="2001:db8::77", **told)).is_success
        assert probe.post(
            f"/report/{unplaced}", json=body(2, probe_cc="ZZ", probe_asn="AS0", **told)
        ).is_success
        assert probe.post(f"/report/{ADDRESS}", json=body(3)).is_client_error
        assert probe.post(f"/report/{report}", content=ADDRESS.encode()).is_client_error
        assert probe.post(f"/{ADDRESS}", content=b"").is_client_error
        assert probe.post("/", json={"http_request": "http://10.0.0.1/"}).is_client_error
        waiting = written(inbox_of(store))
        assert waiting and holding(waiting) == []
        assert running.stop() == 0
    assert holding(written(tmp_path)) == []
    with open_store(store) as found:
        lines = [
            record.data for segment in found.archive.segments() for record in found.archive.records(segment)
        ]
    assert len(lines) == 1 and not any(form in line for form in FORMS for line in lines)
    log = "".join(running.log).encode()
    assert b"stored=1" in log and not any(form in log for form in (*FORMS, b"127.0.0.1:"))


def test_no_planted_address_or_name_is_written_by_the_collector(tmp_path: Path) -> None:
    """In sixty spellings and places, on a page that is the helper's but for a name in its title."""
    whole = planted(measurement())
    secrets = whole.secrets
    store = tmp_path / "store"
    options = ("--store", str(store), "--trust-proxy", "127.0.0.1")
    with collector(*options, code=PATIENT) as running, client(running) as probe:
        probe.headers["x-forwarded-for"] = CAME_FROM
        report = probe.post("/report", json=OPEN).json()["report_id"]
        sent = {"format": "json", "content": whole.document}
        assert probe.post(f"/report/{report}", json=sent).is_success
        assert left_in(b"".join(written(inbox_of(store)).values()), secrets) == []
        assert running.stop() == 0
    assert left_in(b"".join(written(tmp_path).values()), secrets) == []
    assert left_in("".join(running.log).encode(), secrets) == []
    with open_store(store) as found:
        lines = [
            record.data for segment in found.archive.segments() for record in found.archive.records(segment)
        ]
    assert len(lines) == 1 and left_in(with_bodies(lines[0]), secrets) == []


def test_a_spool_keeps_what_the_probe_gave_it_but_not_its_address(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.put(msgspec.json.encode(measurement()))

    async def send(url: str) -> None:
        async with Uploader(spool, [url]) as uploader:
            assert (await uploader.send()).acknowledged == 1

    with collector("--inbox", str(tmp_path / "inbox")) as running:
        asyncio.run(send(running.url))
        port = running.url.rpartition(":")[2].encode()
        assert not any(port in content for content in written(tmp_path / "spool").values())
