"""A messenger is added as its module says: its function, its line in ``MESSENGERS``, and in ``PLATFORMS`` whose app it
is."""

import asyncio
import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from fanous.model.measurement import Layer, Record
from fanous.probe.messengers import MESSENGERS
from fanous.probe.run import run
from fanous.probe.trace import ProbeVantage
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.nettests import PLATFORMS
from fanous.sources.ooni.parse import NETTESTS
from tests.probe.net import servers
from tests.probe.net.routes import RoutedNetwork
from tests.probe.scene import scene

HARBOUR_IP = "198.51.45.40"

RECIPE = '''"""Harbour: the app's one server, over HTTPS."""

from fanous.probe.messengers import Messenger, page_fails, status
from fanous.probe.settings import Settings
from fanous.probe.trace import Entry, Trace

SERVER = "https://chat.harbour.example/"


async def _attempt(trace: Trace, settings: Settings) -> Entry:
    failure = await page_fails(trace, settings, SERVER)
    return {"harbour_status": status(failure), "harbour_failure": failure}


MESSENGER = Messenger("harbour", "0.1.0", _attempt)
'''


@pytest.fixture
def harbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the new nettest, once the recipe is followed."""
    file = tmp_path / "harbour.py"
    file.write_text(RECIPE, encoding="utf-8")
    spec = spec_from_file_location("harbour", file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    with pytest.raises(ValueError, match="harbour has no line in PLATFORMS"):
        spec.loader.exec_module(module)
    monkeypatch.setitem(PLATFORMS, "harbour", "harbour")
    monkeypatch.setitem(NETTESTS, "harbour", NETTESTS["signal"])
    spec.loader.exec_module(module)
    monkeypatch.setitem(MESSENGERS, module.MESSENGER.test_name, module.MESSENGER)
    return str(module.MESSENGER.test_name)


@pytest.mark.parametrize(("is_up", "said"), [(True, "ok"), (False, "blocked")])
def test_a_new_messenger_is_measured(harbour: str, is_up: bool, said: str, tmp_path: Path) -> None:
    async def play() -> bytes:
        async with scene(tmp_path) as place:
            place.routes.names["chat.harbour.example"] = [HARBOUR_IP]
            if is_up:
                await place.serve("chat.harbour.example", HARBOUR_IP, 443, servers.pages())
            written = list[bytes]()
            vantage = ProbeVantage("PK", 17557)
            network = RoutedNetwork(place.routes)
            settings, messengers = place.settings(), (harbour,)
            await run(
                network, settings, vantage, (), written.append, with_health=False, messengers=messengers
            )
            return written[0]

    record = json.loads(asyncio.run(play()))
    assert (record["test_name"], record["test_version"]) == ("harbour", "0.1.0")
    assert record["test_keys"]["harbour_status"] == said
    assert (record["test_keys"]["harbour_failure"] is None) is is_up
    assert [step["server_name"] for step in record["test_keys"]["tls_handshakes"]] == [
        "chat.harbour.example"
    ] * is_up
    (parsed,) = [MEASUREMENT_SOURCES["edge"].parse(Record("edge", json.dumps(record).encode()))]
    assert parsed.measurement.target == "harbour"
    assert {one.layer for one in parsed.observations} >= {Layer.DNS, Layer.TCP}
