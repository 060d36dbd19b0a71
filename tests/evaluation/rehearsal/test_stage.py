"""What the probes of a rehearsal get as instructions."""

from dataclasses import replace

from fanous_lab.censors.in_path import SLOW_SECONDS
from fanous_lab.evaluation.rehearsal.run import settings_for
from fanous_lab.evaluation.rehearsal.vantage_point import SCREENING, profile_document
from fanous_lab.scenario import shipped


def test_where_handshakes_are_held_a_probe_outwaits_them_and_elsewhere_it_does_not() -> None:
    turkiye, rally = shipped("turkiye-2023-02-08"), shipped("pakistan-2023-12-17")
    held = settings_for(turkiye, SCREENING)
    assert held.handshake_timeout > SLOW_SECONDS + 1
    assert held.endpoint_seconds > 2 * held.handshake_timeout
    assert settings_for(rally, SCREENING).handshake_timeout < SLOW_SECONDS
    assert settings_for(replace(turkiye, events=()), SCREENING).handshake_timeout < SLOW_SECONDS
    assert profile_document(held)["handshake_timeout"] == held.handshake_timeout


def test_all_sites_of_a_scenario_may_show_an_allow_list() -> None:
    assert "https://x.com/" in settings_for(shipped("turkiye-2023-02-08"), SCREENING).spared
