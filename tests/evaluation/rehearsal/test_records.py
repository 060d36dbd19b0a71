"""What the probes of the lab stored still leads to the conclusions of the truth table.

Where a change of rules or detectors is meant to change one of them, play that case again (``make lab`` does).
"""

from pathlib import Path

import msgspec
import pytest

from fanous.errors import FanousError
from fanous.pipeline.detect import HISTORY
from fanous_lab.censors import TECHNIQUES
from fanous_lab.evaluation.rehearsal.cases import QUIET, known
from fanous_lab.evaluation.rehearsal.records import APART, BEGINS, LabRecords, differences, parsed_of, shown
from fanous_lab.evaluation.rehearsal.table import PAGE, RECORDS, RESULTS, page

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.fixture(scope="module")
def kept() -> LabRecords:
    return LabRecords.read(DOCS / RECORDS)


@pytest.fixture(scope="module")
def core(kept: LabRecords) -> list[str]:
    """Cases that name a mechanism of every layer, and one of a fault in which something is suspected."""
    named = {
        result.key: {mechanism.partition(".")[0] for mechanism in result.mechanisms}
        for result in known(DOCS / RESULTS)
        if result.kept_up
    }
    missing = {layer for name in kept.cases for key in name.split(", ") for layer in named[key]}
    chosen = ["loss_burst quiet 1"]
    while missing:
        gain = {
            name: missing & {one for key in name.split(", ") for one in named[key]} for name in kept.cases
        }
        best = max(sorted(gain), key=lambda name: len(gain[name]))
        chosen.append(best)
        missing -= gain[best]
    return chosen


def test_the_records_of_each_layer_lead_to_what_the_table_says(kept: LabRecords, core: list[str]) -> None:
    assert not [why for why in differences(kept, core, known(DOCS / RESULTS)).values() if why]


@pytest.mark.matrix
@pytest.mark.timeout(600)
def test_the_records_of_every_other_case_lead_to_what_the_table_says(
    kept: LabRecords, core: list[str]
) -> None:
    others = sorted(set(kept.cases) - set(core))
    assert not [why for why in differences(kept, others, known(DOCS / RESULTS)).values() if why]


def test_there_are_records_of_every_technique(kept: LabRecords) -> None:
    tried = {technique for own in kept.cases.values() for technique, _ in own.tried if own.placement != QUIET}
    assert tried == {name for name, one in TECHNIQUES.items() if one.is_interference} - {"none"}


def test_the_page_says_what_the_results_and_the_records_give(kept: LabRecords) -> None:
    """That these lead to the same conclusions is tested above."""
    tried = {(technique, own.placement) for own in kept.cases.values() for technique, _ in own.tried}
    assert page(known(DOCS / RESULTS), tried) == (DOCS / PAGE).read_text(encoding="utf-8")


def test_a_case_is_kept_as_it_was_stored(kept: LabRecords, core: list[str], tmp_path: Path) -> None:
    name = core[0]
    copied = LabRecords()
    some = list(kept.lines(name, BEGINS))[:200]
    copied.add(kept.cases[name].case, BEGINS, some)
    copied.write(tmp_path / "r.xz")
    before, after = (
        [
            (parsed.measurement.probe, parsed.measurement.started_at, shown(parsed))
            for parsed in map(parsed_of, lines)
        ]
        for lines in (some, LabRecords.read(tmp_path / "r.xz").lines(name, BEGINS))
    )
    assert sorted(map(repr, before)) == sorted(map(repr, after))


def test_a_case_played_again_takes_the_place_of_the_older_one(
    kept: LabRecords, core: list[str], tmp_path: Path
) -> None:
    name = core[0]
    copied = LabRecords(kinds=kept.kinds, cases={name: kept.cases[name]})
    copied.add(kept.cases[name].case, BEGINS, list(kept.lines(name, BEGINS))[:3])
    copied.write(tmp_path / "r.xz")
    read = LabRecords.read(tmp_path / "r.xz")
    assert len(read.cases[name].at) == 3 and len(read.kinds) <= 3


def test_no_case_reaches_into_the_next_one(kept: LabRecords) -> None:
    for own in kept.cases.values():
        assert max(own.at) < own.scenario.duration * own.scenario.stretch + own.scenario.tick_stands_for
    assert max(own.scenario.duration * own.scenario.stretch for own in kept.cases.values()) + HISTORY < APART


def test_records_of_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.xz"
    path.write_bytes(b"no xz")
    with pytest.raises(FanousError, match="does not hold the records of rehearsals"):
        LabRecords.read(path)
    LabRecords("fanous-rehearsals-0").write(path)
    with pytest.raises(FanousError, match="holds fanous-rehearsals-0"):
        LabRecords.read(path)


def test_no_record_holds_an_address_of_a_probe(kept: LabRecords) -> None:
    assert b'"45.16.' not in msgspec.json.encode(kept)  # the lab's customers
