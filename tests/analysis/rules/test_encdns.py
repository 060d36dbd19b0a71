"""Encrypted resolvers: are they cut off here, or is one of them in trouble?"""

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import Said, said, verdicts
from tests.builders import observation
from tests.each import each

DOH, DOT = "cloudflare-dns.com", "dns.quad9.net"


def resolver(name: str, failure: str | None = None) -> Observation:
    engine = "doh" if name == DOH else "dot"
    return observation(
        Layer.DNS, failure, target=name, hostname=name, role="resolver", resolver=engine, ip="", answers=()
    )


def look(*observations: Observation, control_failure: str | None = None) -> list[Said]:
    """Verdicts about a probe's check of its line."""
    return said(Layer.DNS, *observations, control_failure=control_failure, test_name="fanous_health")


SILENT = "generic_timeout_error"
BOTH_CUT = [
    (State.BLOCKED, "dns.encrypted_cut", "encdns.doh"),
    (State.BLOCKED, "dns.encrypted_cut", "encdns.dot"),
]
FAILS = (State.INSUFFICIENT, "dns.encrypted_fails", "")


@each(
    ("observations", "control_failure", "found"),
    [
        ([resolver(DOH), resolver(DOT)], None, [(State.OK, "dns.encrypted_ok", "")] * 2),
        ([resolver(DOH, SILENT), resolver(DOT, SILENT)], None, BOTH_CUT),
        ([resolver(DOH, "connection_reset"), resolver(DOT, "connection_refused")], None, BOTH_CUT),
        # One operator alone may be down.
        ([resolver(DOH, SILENT), resolver(DOT)], None, [FAILS, (State.OK, "dns.encrypted_ok", "")]),
        # Nothing else worked: the line.
        ([resolver(DOH, SILENT), resolver(DOT, SILENT)], "no_plain_answer", [FAILS] * 2),
        # The resolver's own word; it denies the name that it was asked for.
        (
            [resolver(DOH, "dns_nxdomain_error"), resolver(DOT)],
            None,
            [FAILS, (State.OK, "dns.encrypted_ok", "")],
        ),
        ([resolver(DOH, "http_request_failed"), resolver(DOT, SILENT)], None, [BOTH_CUT[1], FAILS]),
    ],
)
def test_encrypted_resolvers_are_judged_by_a_look_at_the_line(
    observations: list[Observation], control_failure: str | None, found: list[Said]
) -> None:
    assert look(*observations, control_failure=control_failure) == found


def test_what_else_worked_in_the_look_is_a_normal_control() -> None:
    cut = (resolver(DOH, SILENT), resolver(DOT, SILENT))
    assert all(v.controlled for v in verdicts(*cut, test_name="fanous_health"))
    assert not any(
        v.controlled for v in verdicts(*cut, control_failure="no_plain_answer", test_name="fanous_health")
    )


DENIED = (State.INSUFFICIENT, "dns.encrypted_denied", "encdns.doh")
SITE = [observation(Layer.DNS), observation(Layer.TLS)]


@each(
    ("observations", "found"),
    [
        ([resolver(DOH, "dns_nxdomain_error"), *SITE], DENIED),
        ([resolver(DOH, "dns_nxdomain_error")], FAILS),  # nothing else was found: the line, or its resolver
        ([resolver(DOH, "dns_nxdomain_error"), SITE[0]], FAILS),
        ([resolver(DOH, "dns_nxdomain_error"), SITE[1]], FAILS),
        ([resolver(DOH, SILENT), *SITE], FAILS),  # as on a line that loses packets
        (
            [resolver(DOH, "connection_reset"), *SITE],
            (State.INSUFFICIENT, "dns.encrypted_cut_off", "encdns.doh"),
        ),
        ([resolver(DOH), *SITE], (State.OK, "dns.encrypted_ok", "")),
    ],
)
def test_a_resolver_that_a_sites_measurement_could_not_ask_is_judged_by_what_else_it_found(
    observations: list[Observation], found: Said
) -> None:
    told = verdicts(*observations, test_name="web_connectivity", control_failure=None)
    assert [(v.state, v.rule_id, v.mechanism) for v in told if v.target == DOH] == [found]


def test_only_what_a_filter_at_home_may_do_as_well_is_left_to_the_number_of_senders() -> None:
    (denied,) = [v for v in verdicts(resolver(DOH, "dns_nxdomain_error"), *SITE) if v.target == DOH]
    (cut,) = [v for v in verdicts(resolver(DOH, "connection_reset"), *SITE) if v.target == DOH]
    assert (denied.symptom, denied.controlled) == (True, True)
    assert (cut.symptom, cut.controlled) == (True, False)
