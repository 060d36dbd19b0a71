"""One bundle of the generated event, made once."""

from pathlib import Path

import pytest

from fanous.pipeline import ingest
from fanous.publish.evidence.manifest import signing_key
from fanous.publish.evidence.pack import Packed, gather, pack
from fanous.store.local import open_store

NOW = 1_702_900_000.0


@pytest.fixture(scope="session")
def packed(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    folder = tmp_path_factory.mktemp("evidence")
    with open_store(folder / "store") as store:
        ingest.ingest(store, "ooni", [rally])
        (incident,) = store.ledger.incidents("PK")
        gathered = gather(store, incident.id)
    return pack(gathered, folder / "rally.fan", signing_key(folder / "key.pem"), NOW)
