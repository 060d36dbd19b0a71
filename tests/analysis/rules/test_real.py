"""Real measurements of many years, countries and versions: which verdicts they get, and which not."""

import gzip
from collections.abc import Iterator

import pytest

from fanous.analysis.rules import judge
from fanous.model.measurement import ParsedMeasurement, Record
from fanous.model.verdict import State, Verdict
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES
from tests.shared_data import shared_file

KNOWN = {
    ("IR", "wikipedia"): {"dns.injection.bogon"},
    ("IR", "facebook"): {"dns.injection.bogon"},
    ("ID", "archive"): {"http.redirect", "http.blockpage"},
    ("RU", "rutor.org"): {"http.redirect", "http.blockpage"},
}
"""All that is blocked in this file, read by eye."""


def judged() -> Iterator[tuple[ParsedMeasurement, tuple[Verdict, ...]]]:
    with gzip.open(shared_file("ooni/real_measurements.jsonl.gz")) as lines:
        for line in lines:
            bundle = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", line.strip()))
            yield bundle, judge(bundle, fingerprints())


@pytest.mark.shared_data
def test_what_is_known_to_be_blocked_is_said_and_nothing_else() -> None:
    found: dict[tuple[str, str], set[str]] = {}
    for bundle, verdicts in judged():
        for verdict in verdicts:
            if verdict.state in (State.BLOCKED, State.THROTTLED):
                key = (bundle.measurement.country, bundle.measurement.target)
                found.setdefault(key, set()).add(verdict.mechanism)
    assert found == KNOWN


@pytest.mark.shared_data
def test_what_was_observed_gets_a_verdict_with_a_reason() -> None:
    for bundle, verdicts in judged():
        assert bool(verdicts) is any(o.vantage == "probe" for o in bundle.observations)
        assert all(verdict.why for verdict in verdicts)


@pytest.mark.shared_data
def test_signals_own_loopback_name_is_no_finding() -> None:
    signal = [verdicts for bundle, verdicts in judged() if bundle.measurement.test_name == "signal"]
    rules = {verdict.rule_id for verdicts in signal for verdict in verdicts}
    assert "dns.lone_bogon" in rules
    assert "dns.bogon" not in rules
