"""What a look at the line says."""

import json

import pytest

from fanous.sources.ooni.document import AnswerRecord, HealthKeys, LookRecord, QueryRecord, Timed
from fanous.sources.ooni.keep import kept_own
from fanous.sources.ooni.nettests import NO_CONTROL, control_failure_of, health_defect, observe_health
from tests.each import each
from tests.sources.records import document, encoded


@each(
    ("look", "defect"),
    [
        (LookRecord(True, False, False), ""),
        (LookRecord(False, False, False), "no network"),
        (LookRecord(True, True, False), "captive portal"),
        (LookRecord(True, False, True), "nothing outside the country answers"),
        (LookRecord(), "no look at the line in it"),
        (None, "no look at the line in it"),
    ],
)
def test_a_line_is_sound_or_the_look_says_why_not(look: LookRecord | None, defect: str) -> None:
    assert health_defect(HealthKeys(look)) == defect


def test_an_unreadable_look_allows_no_conclusion() -> None:
    assert health_defect(None)


def query(engine: str, failure: str | None = None, name: str | None = None) -> QueryRecord:
    answers = None if failure else [AnswerRecord(ipv4="192.0.2.1")]
    return QueryRecord(
        "www.example.com", "A", engine, failure, answers=answers, x_resolver_name=name, t0=0.0, t=0.1
    )


def test_only_encrypted_lookups_are_facts_and_stand_under_their_resolver() -> None:
    keys = HealthKeys(
        LookRecord(True, False, False),
        [
            query("getaddrinfo"),
            query("udp"),
            query("doh", name="cloudflare-dns.com"),
            query("dot", "generic_timeout_error", "dns.quad9.net"),
            query("dot"),  # an older probe does not name it
        ],
    )
    assert [(o.target, o.role, o.resolver, o.failure) for o in observe_health(keys)] == [
        ("encrypted_dns", "resolver", "doh", None),
        ("encrypted_dns", "resolver", "dot", "generic_timeout_error"),
    ]
    assert list(observe_health(None)) == []


@pytest.mark.parametrize(
    ("plain", "pages", "failure"),
    [
        (query("udp"), {"https://www.example.com/": True}, None),
        (query("udp", "generic_timeout_error"), {"https://www.example.com/": True}, NO_CONTROL),
        (query("udp"), {"https://www.example.com/": False}, NO_CONTROL),
        (query("udp"), None, NO_CONTROL),
    ],
)
def test_the_control_is_a_plain_answer_and_a_known_good_page(
    plain: QueryRecord, pages: dict[str, bool] | None, failure: str | None
) -> None:
    assert control_failure_of(HealthKeys(LookRecord(True, False, False, controls=pages), [plain])) == failure


@pytest.mark.parametrize(
    ("took", "failure", "said"),
    [
        (0.3, "generic_timeout_error", None),
        (0.5, "generic_timeout_error", "slow_line"),
        (0.5, "connection_reset", None),  # someone answered
        (0.5, None, None),
    ],
)
def test_a_slow_line_gives_resolvers_no_time(took: float, failure: str | None, said: str | None) -> None:
    doh = query("doh", failure, "cloudflare-dns.com")
    doh.t = 1.5
    look = LookRecord(True, False, False, controls={"https://www.example.com/": True})
    keys = HealthKeys(look, [query("udp"), doh], [Timed(None, 0.0, took), Timed("eof_error", 0.0, 9.0)])
    assert control_failure_of(keys) == said


@each(
    ("site", "stored"),
    [
        ("https://www.example.com/", "https://www.example.com/"),
        ("https://www.example.com:8443", "https://www.example.com:8443/"),
        ("http://[2001:db8::1]/a?b=c#d", "http://[2001:db8::1]/"),
        ("www.example.com", "www.example.com"),
        ("https://user:word@www.example.com/", None),
        ("https://two words/", None),
        ("ftp://www.example.com/", None),
    ],
)
def test_a_look_is_stored_with_the_sites_on_which_it_rests(site: str, stored: str | None) -> None:
    """Without them no allow-list is known for one, and no block of encrypted resolvers has a control."""
    look = {"online": True, "portal": False, "controls": {site: True}, "spared": [site]}
    record = document({"x_health": look}, test_name="fanous_health", input=None)
    kept = json.loads(kept_own(encoded(record)))["test_keys"]["x_health"]
    assert kept["controls"] == ({stored: True} if stored else {})
    assert kept["spared"] == ([stored] if stored else [])
