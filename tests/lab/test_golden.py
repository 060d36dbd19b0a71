"""What the real probe recorded of each technique still gives the same observations and verdicts."""

from pathlib import Path

from fanous.analysis.rules import judge
from fanous.model.verdict import State
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.ooni.keep import kept_own
from fanous_lab.censors import TECHNIQUES
from tests.each import each
from tests.lab.golden import FOLDER, bundle_of, described

KNOWN_WRONG: dict[str, str] = {}
"""False verdicts of single measurements.  A detector and a confirmation rule come after them;
remove the line when the rule is fixed."""

RECORDS = sorted(FOLDER.glob("*.json"))


@each("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_of_the_lab_gives_what_it_gave(path: Path) -> None:
    assert described(path.read_bytes()) == path.with_suffix(".txt").read_text(encoding="utf-8")


@each("path", RECORDS, ids=lambda path: path.stem)
def test_what_is_sent_and_stored_of_it_gives_the_same(path: Path) -> None:
    """A collector has no more of it than that."""
    assert described(kept_own(path.read_bytes())) == path.with_suffix(".txt").read_text(encoding="utf-8")


@each("path", RECORDS, ids=lambda path: path.stem)
def test_no_verdict_on_a_record_of_the_lab_names_another_mechanism(path: Path) -> None:
    truth = TECHNIQUES[path.stem].truth
    verdicts = judge(bundle_of(path.read_bytes()), fingerprints())
    blamed = [v.mechanism for v in verdicts if v.state in (State.BLOCKED, State.THROTTLED)]
    is_wrong = truth.label(blamed) == "wrong" or (bool(blamed) and not truth.is_incident)
    assert is_wrong == (path.stem in KNOWN_WRONG)


def test_there_is_a_record_of_every_technique() -> None:
    assert {path.stem for path in RECORDS} == set(TECHNIQUES) - {"none"}
