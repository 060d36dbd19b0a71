"""Scenarios: what a file may say, and where a complaint points."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.incident import Kind, Scope
from fanous.model.place import Access
from fanous_lab.censors import TECHNIQUES
from fanous_lab.commands.lab import chosen_scenario
from fanous_lab.scenario import (
    load_scenario,
    networks_registered_elsewhere,
    parse_scenario,
    scenario,
    scenario_names,
    shipped,
)
from tests.each import each

TEXT = """\
title = "Pakistan, virtual rally"
country = "PK"
seed = 7
tick = "2s"
duration = "120s"

[[network]]
asn = 17557
name = "PTCL"
access = "fixed"
users_share = 0.35
vantage_points = 2

[[network]]
asn = 45669
access = "mobile"
users_share = 0.5

[[network]]
asn = 1299
country = "SE"
access = "fixed"
users_share = 0

[[event]]
at = "40s"
until = "1.5m"
technique = "sni_reset"
targets = ["x", "youtube"]
networks = [17557]

[[event]]
at = "50s"
technique = "outage_mobile"
networks = { access = "mobile" }

[[expect]]
kind = "blocking"
scope = "isp"
targets = ["x"]
mechanisms = ["tls.reset.sni"]
"""


def test_a_scenario_says_who_where_when_and_what() -> None:
    read = parse_scenario(TEXT, "a.toml")
    assert (read.country, read.tick, read.duration, read.stretch) == ("PK", 2.0, 120.0, 300.0)
    assert read.vantage_points == 4
    first, second = read.events
    assert (first.at, first.until, first.targets, first.networks) == (40, 90, ("x", "youtube"), (17557,))
    assert (second.until, second.networks) == (120, (45669,))
    assert read.targets == ("x", "youtube")
    (expected,) = read.expects
    assert (expected.kind, expected.scope, expected.status) == (Kind.BLOCKING, Scope.ISP, "confirmed")
    assert read.networks[1].access is Access.MOBILE


def test_everyone_is_everyone_inside_the_country() -> None:
    everybody = TEXT.replace("networks = [17557]", 'networks = ["*"]')
    assert parse_scenario(everybody, "a.toml").events[0].networks == (17557, 45669)
    unsaid = TEXT.replace("networks = [17557]\n", "")
    assert parse_scenario(unsaid, "a.toml").events[0].networks == (17557, 45669)


@each(
    ("was", "becomes", "complaint"),
    [
        ('"sni_reset"', '"sni_resets"', r"a\.toml:28: \[event\[1\]\] technique: .*did you mean 'sni_reset'"),
        (
            "[17557]",
            "[17577]",
            r"a\.toml:30: \[event\[1\]\] networks: 17577 is not one .*did you mean 17557\?",
        ),
        ('"youtube"]', '"yuotube"]', r"a\.toml:29: .*targets: 'yuotube' is neither a platform.*'youtube'"),
        (
            '"youtube"]',
            '"twitter"]',
            r"a\.toml:29: .*targets: 'twitter' is neither a platform.*did you mean 'x'",
        ),
        ("users_share = 0.35", "user_share = 0.35", r"a\.toml:11: .*user_share.*did you mean 'users_share'"),
        ('"40s"', '"40"', r'a\.toml:26: .*at: \'40\' is not a length of time such as "40s"'),
        ('"1.5m"', '"30s"', r"a\.toml:27: .*until: it must be after at"),
        ("0.5", "0.9", r"a\.toml:\d+: network: .*more than 1"),
        ("asn = 45669", "asn = 17557", r"a\.toml:15: \[network\[2\]\] asn: AS17557 occurs twice"),
        ('"isp"', '"town"', r"a\.toml:39: \[expect\[1\]\] scope: 'town' is not one of"),
        ('access = "mobile" }', 'access = "fixd" }', r"a\.toml:35: .*access: 'fixd'.*'fixed'"),
        ("vantage_points = 2", "vantage_points = 2\nlying = 3", r"a\.toml:12: .*fewer than lying"),
        ("seed = 7", "seed = ", r"a\.toml cannot be read as TOML"),
    ],
)
def test_a_complaint_names_file_line_and_the_nearest_right_word(
    was: str, becomes: str, complaint: str
) -> None:
    assert was in TEXT
    with pytest.raises(FanousError, match=complaint):
        parse_scenario(TEXT.replace(was, becomes, 1), "a.toml")


@pytest.mark.parametrize("asn", [64512, 65534, 23456, 4_200_000_000])
def test_a_network_that_the_collector_would_keep_apart_is_refused_with_a_sentence(asn: int) -> None:
    with pytest.raises(
        FanousError, match=rf"network\[2\].*AS{asn} is a number that no network .* has.*64496"
    ):
        parse_scenario(TEXT.replace("asn = 45669", f"asn = {asn}"), "a.toml")
    parse_scenario(TEXT.replace("asn = 45669", "asn = 64496"), "a.toml")


def test_a_network_that_is_at_home_elsewhere_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Otherwise what its probes see would count as seen from abroad, and no one would know why nothing is found."""
    foreign = parse_scenario(TEXT.replace("asn = 45669", "asn = 3320"), "a.toml")
    assert [(network.asn, home) for network, home in networks_registered_elsewhere(foreign)] == [(3320, "DE")]
    documented = parse_scenario(TEXT.replace("asn = 45669", "asn = 64496"), "a.toml")
    assert networks_registered_elsewhere(documented) == []
    path = tmp_path / "a.toml"
    path.write_text(TEXT.replace("asn = 45669", "asn = 3320"))
    chosen_scenario(str(path), None)
    assert "AS3320 is registered in DE, not in PK" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="cannot be read"):
        load_scenario(tmp_path / "none.toml")
    with pytest.raises(FanousError, match="did you mean 'quiet'"):
        scenario("quite")


@each("name", scenario_names())
def test_a_shipped_scenario_is_sound_and_says_its_source(name: str) -> None:
    read = shipped(name)
    events = [e for e in read.events if TECHNIQUES[e.technique].truth.is_incident]
    assert bool(read.expects) == (not name.startswith("quiet"))
    assert all(set(x.targets) <= set(read.targets) for x in read.expects)
    assert events or name.startswith("quiet")
    assert read.events == () or min(e.at for e in read.events) >= 0


def test_every_technique_of_an_incident_has_a_mechanism() -> None:
    for name, technique in TECHNIQUES.items():
        assert bool(technique.truth.exact) == technique.truth.is_incident, name


def test_a_label_is_exact_coarser_wrong_or_none() -> None:
    truth = TECHNIQUES["sni_reset"].truth
    assert truth.label(["tls.reset.sni"]) == "exact"
    assert truth.label(["tls"]) == "coarser"
    assert truth.label(["tls.reset.sni", "dns.nxdomain"]) == "wrong"
    assert truth.label([]) == "none"


def test_an_event_may_outlast_its_scenario() -> None:
    events = parse_scenario(TEXT.replace('"1.5m"', '"9m"'), "a.toml").events
    assert events[0].until == 120.0
