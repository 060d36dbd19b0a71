"""One bundle of the generated event, made once; what equal records amount to is computed once too."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from fanous.model.measurement import Provenance, Record
from fanous.model.place import UserWeights
from fanous.model.series import SourceSeries
from fanous.publish.evidence.pack import Packed, gather, pack
from fanous.publish.evidence.recompute import Recomputed, RecomputeWindow, recompute
from fanous.publish.signer import make_key
from fanous.store.local import open_store
from tests.copies import copy_of

NOW = 1_702_900_000.0


@pytest.fixture(scope="session")
def packed(small_rally_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    folder = tmp_path_factory.mktemp("evidence")
    with open_store(copy_of(small_rally_folder, folder / "store")) as store:
        (incident,) = store.ledger.incidents("PK")
        gathered = gather(store, incident.id)
    return pack(gathered, folder / "rally.fan", make_key(folder / "key.pem"), NOW)


class Memory:
    """Computes each set of records once, which takes two seconds that tests which change something else can save."""

    def __init__(self) -> None:
        self._known: list[tuple[object, Recomputed]] = []

    def recompute(
        self,
        records: Iterable[Record],
        levels: Sequence[SourceSeries],
        window: RecomputeWindow,
        shares: UserWeights | None,
        claimed: Provenance,
        mirrors: Mapping[str, Collection[str]],
    ) -> Recomputed:
        every = list(records)
        if levels:
            return recompute(every, levels, window, shares, claimed, mirrors)
        asked = (every, window, shares, claimed)
        for known, computed in self._known:
            if known == asked:
                return computed
        computed = recompute(every, levels, window, shares, claimed, mirrors)
        self._known.append((asked, computed))
        return computed


MEMORY = Memory()


@pytest.fixture
def computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what ``verify`` makes of the incidents, not of how they are computed."""
    monkeypatch.setattr("fanous.publish.evidence.verify.recompute", MEMORY.recompute)
