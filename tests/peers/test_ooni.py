"""OONI's own service, scorer and reader take what our probe makes."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fanous.monitor.recording import unpack
from fanous.probe.spool import REFUSED, Spool
from fanous.probe.upload import Sent
from tests.collector.probe import measurement
from tests.peers.programs import backend, free_port, python_with, running
from tests.probe.net import servers
from tests.probe.scene import SITE, SITE_IP, measured, scene
from tests.probe.spool.test_upload import sent

pytestmark = pytest.mark.peers
SERVER = Path(__file__).with_name("ooni_server.py")
BACKEND = ("ooni-backend", "ooniauth_py", "fastapi, ooniauth-py and what else OONI's server needs")
READER = ("oonidata", "oonidata", "oonidata")


def own_records(folder: Path) -> list[dict[str, Any]]:
    """What the probe makes of a site that works and of one whose handshakes are cut."""

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.transport.abort()

    async def play(name: str, serve: servers.Serve | None) -> list[dict[str, Any]]:
        async with scene(folder / name) as place:
            place.routes.names[SITE] = [SITE_IP]
            if serve is None:
                await place.put(SITE_IP, 443, cut)
            else:
                await place.serve(SITE, SITE_IP, 443, serve)
            await place.resolvers(SITE_IP)
            await place.control()
            return (await measured(place, f"https://{SITE}/", with_health=True)).records

    for name in ("works", "cut"):
        (folder / name).mkdir()
    works, cuts = asyncio.run(play("works", servers.pages())), asyncio.run(play("cut", None))
    return [*works, *cuts]


def test_oonis_service_takes_our_spool_and_what_it_discards_blocks_nothing(tmp_path: Path) -> None:
    python, checkout, port = python_with(*BACKEND), backend(), free_port()
    (tmp_path / "received").mkdir()
    spool = Spool(tmp_path / "spool")
    for number, fields in enumerate(({"probe_asn": "AS0", "probe_cc": "ZZ"}, {}, {})):
        spool.put(msgspec.json.encode(measurement(number, **fields)))
    argv = [python, str(SERVER), str(checkout), str(port), str(tmp_path / "received")]
    with running(argv, tmp_path / "log", f"127.0.0.1:{port}"):
        found = sent(spool, f"http://127.0.0.1:{port}")
        assert found == Sent(2, 1, 0), (found.why, (tmp_path / "log").read_text()[-3000:])
    (why,) = [path.read_text() for path in (spool.folder / REFUSED).glob("*.why")]
    assert "answered 200" in why and "AS0" in why
    received = [json.loads(path.read_bytes()) for path in (tmp_path / "received").iterdir()]
    assert {one["content"]["probe_asn"] for one in received} == {"AS17557"} and len(received) == 2


def test_what_oonis_service_saved_while_its_fast_path_was_down_is_sent_once(tmp_path: Path) -> None:
    python, checkout, port = python_with(*BACKEND), backend(), free_port()
    (tmp_path / "received").mkdir()
    spool = Spool(tmp_path / "spool")
    spool.put(msgspec.json.encode(measurement(0)))
    argv = [python, str(SERVER), str(checkout), str(port), str(tmp_path / "received"), "down"]
    with running(argv, tmp_path / "log", f"127.0.0.1:{port}"):
        assert sent(spool, f"http://127.0.0.1:{port}") == Sent(0, 1, 0)
        assert sent(spool, f"http://127.0.0.1:{port}") == Sent(0, 0, 0)
    assert len(list((tmp_path / "received").iterdir())) == 1


def test_oonis_scorer_trusts_what_our_probe_measured(tmp_path: Path) -> None:
    python, checkout = python_with(*BACKEND), backend()
    records = [one for one in own_records(tmp_path) if one["test_name"] == "web_connectivity"]
    done = subprocess.run(
        [python, str(SERVER), str(checkout), "score"],
        input="".join(json.dumps(one) + "\n" for one in records),
        capture_output=True,
        text=True,
        check=False,
    )
    if "ModuleNotFoundError" in done.stderr:
        pytest.skip(f"not present: {done.stderr.strip().splitlines()[-1]} (of OONI's fast path)")
    assert done.returncode == 0, done.stderr[-2000:]
    works, _cut = (json.loads(line) for line in done.stdout.splitlines())
    assert works.get("accuracy", 1.0) == 1.0
    assert works["blocking_general"] == 0.0


def test_oonis_reader_loads_our_records_and_those_of_the_recording(tmp_path: Path) -> None:
    python = python_with(*READER)
    lines = [json.dumps(one).encode() for one in own_records(tmp_path)]
    unpack("pakistan-2023-12-17", tmp_path / "recording.jsonl")
    lines += (tmp_path / "recording.jsonl").read_bytes().splitlines()
    script = (
        "import json, sys\nfrom oonidata.dataclient import load_measurement\ncount = 0\n"
        "for line in sys.stdin.buffer:\n    load_measurement(json.loads(line))\n    count += 1\nprint(count)"
    )
    done = subprocess.run(
        [python, "-c", script], input=b"\n".join(lines) + b"\n", capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:].decode()
    assert int(done.stdout) == len(lines)
