"""Whole measurements, read from their archived form, and the verdicts on each."""

import json

from fanous.analysis.rules import judge
from fanous.model.measurement import Record
from fanous.model.verdict import State, Verdict
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.analysis.rules.golden.answers import ANSWERS_BLOCKED, ANSWERS_SOUND
from tests.analysis.rules.golden.blocked import BLOCKED
from tests.analysis.rules.golden.case import Golden
from tests.analysis.rules.golden.older import OLDER_BLOCKED, OLDER_SOUND
from tests.analysis.rules.golden.pages import OTHER_PAGES, SOUND_PAGES
from tests.analysis.rules.golden.ports import PORTS_BLOCKED, PORTS_SOUND
from tests.analysis.rules.golden.sound import SOUND
from tests.analysis.rules.golden.throttled import NOT_THROTTLED, THROTTLED
from tests.each import each

QUIET = SOUND + OLDER_SOUND + PORTS_SOUND + ANSWERS_SOUND + SOUND_PAGES + NOT_THROTTLED
CASES = (
    *(QUIET + BLOCKED + OLDER_BLOCKED + PORTS_BLOCKED + ANSWERS_BLOCKED),
    *(THROTTLED + OTHER_PAGES),
)
FINDINGS = (State.BLOCKED, State.THROTTLED, State.DOWN)


def judged(case: Golden) -> tuple[Verdict, ...]:
    record = Record("ooni", json.dumps(case.web.document()).encode())
    return judge(MEASUREMENT_SOURCES["ooni"].parse(record), fingerprints())


@each("case", CASES, ids=lambda case: case.name)
def test_a_golden_case_is_judged_as_a_careful_reader_would(case: Golden) -> None:
    found = judged(case)
    assert found
    assert tuple(f"{v.state} {v.layer} {v.mechanism}" for v in found if v.state in FINDINGS) == case.findings


@each("case", QUIET, ids=lambda case: case.name)
def test_what_is_no_interference_is_never_called_so(case: Golden) -> None:
    assert [v.rule_id for v in judged(case) if v.state in (State.BLOCKED, State.THROTTLED)] == []


@each("case", CASES, ids=lambda case: case.name)
def test_every_verdict_gives_a_reason_in_a_sentence(case: Golden) -> None:
    assert all(v.why and "{" not in v.why and "nan" not in v.why for v in judged(case))
