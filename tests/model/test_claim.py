"""What no claim can say, regardless of its author."""

from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from fanous.errors import FanousError
from fanous.model.claim import Claim, Said, defect
from fanous.sources.claims import claims_of
from fanous.store.local import open_store
from tests.commands import fanous
from tests.each import each

CLAIM = Claim(
    "NetBlocks", Said.OUTAGE, "PK", 1.7e9, 1.7e9 + 3600, (17557,), ("x",), link="https://a.example/"
)

WRONG: tuple[dict[str, Any], ...] = (
    {"networks": (-1,)},
    {"networks": (0,)},
    {"networks": (2**32,)},
    {"networks": tuple(range(1, 5000))},
    {"since": -1.0},
    {"until": 253_402_214_400.0},
    {"until": inf},
    {"since": nan},
    {"until": CLAIM.since},
    {"began_before": 1e300},
    {"hours": -1.0},
    {"hours": nan},
    {"hours": inf},
    {"level": 1.5},
    {"level": nan},
    {"link": "javascript:alert(1)"},
    {"link": "data:text/html,x"},
    {"quote": "x" * 10_000},
    {"who": "x" * 10_000},
)


def test_an_ordinary_claim_has_no_defect() -> None:
    assert defect(CLAIM) == ""
    assert (
        defect(replace(CLAIM, networks=(2**32 - 1,), hours=0.0, level=0.0, began_before=1.7e9, link="")) == ""
    )


@each("change", WRONG)
def test_what_is_beyond_all_bounds_is_one(change: dict[str, Any]) -> None:
    assert defect(replace(CLAIM, **change))


def test_it_is_neither_recorded_nor_taken_from_a_publisher(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        for change in WRONG:
            with pytest.raises(FanousError, match="cannot be recorded"):
                store.ledger.add_claim(replace(CLAIM, **change))
        assert store.ledger.claims() == []
    claims, rejects = claims_of([{}, *WRONG], lambda change: replace(CLAIM, **change))
    assert len(claims) == 1
    assert [number for number, _ in rejects] == list(range(2, 2 + len(WRONG)))


def test_the_command_says_so(tmp_path: Path) -> None:
    words = ("claims", "add", "PK", "--who", "X", "--what", "outage", "--since", "2023-01-01")
    store = ("--store", tmp_path / "store")
    (open_store(tmp_path / "store")).close()
    assert "between 1990 and 2100" in fanous(*words, "--until", "9999-12-31", *store, code=1).stderr
    late = (*words, "--until", "2023-01-02", "--network", "AS99999999999", *store)
    assert "from 1 to 4294967295" in fanous(*late, code=1).stderr
