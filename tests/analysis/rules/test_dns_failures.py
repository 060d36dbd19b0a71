"""Lookups that failed: withheld here, gone everywhere, or a resolver in trouble?"""

from fanous.model.measurement import Layer
from tests.analysis.rules.lookups import (
    BLOCKED,
    CONTROL,
    DOWN,
    INSUFFICIENT,
    OK,
    PAGE,
    Case,
    failed,
    first_said,
    lookup,
)
from tests.builders import helper, observation
from tests.each import each

CASES = [
    Case("NXDOMAIN", [failed(), CONTROL], BLOCKED, "dns.failure_control_ok", "dns.nxdomain"),
    Case(
        "Android does not say how a lookup failed, so no kind of failure is named",
        [failed("android_dns_cache_no_data"), CONTROL],
        BLOCKED,
        "dns.failure_control_ok",
        "dns",
    ),
    Case(
        "nor that a resolver denied the name, whatever another one answered",
        [failed("android_dns_cache_no_data"), lookup(resolver="udp"), observation(Layer.TLS)],
        OK,
        "dns.few_names",
    ),
    Case(
        "refused",
        [failed("dns_refused_error"), CONTROL],
        BLOCKED,
        "dns.failure_control_ok",
        "dns.refused",
    ),
    Case(
        "timeout",
        [failed("generic_timeout_error"), CONTROL],
        BLOCKED,
        "dns.failure_control_ok",
        "dns.timeout",
    ),
    Case(
        "a timeout where encrypted lookups time out as well is the line's",
        [
            failed("generic_timeout_error"),
            lookup(resolver="udp"),
            *(failed("generic_timeout_error", resolver=engine) for engine in ("doh", "dot")),
            CONTROL,
        ],
        INSUFFICIENT,
        "dns.lossy_line",
        "line",
    ),
    Case(
        "and a symptom where one of them was answered: a packet may be lost",
        [
            failed("generic_timeout_error"),
            failed("generic_timeout_error", resolver="dot"),
            lookup(resolver="doh"),
            CONTROL,
        ],
        INSUFFICIENT,
        "dns.one_resolver_fails",
        "dns.timeout",
    ),
    Case(
        "also where the resolver fails for another name as well",
        [
            *(failed("generic_timeout_error", hostname=name) for name in ("x.com", "x.com", "example.com")),
            lookup(resolver="udp"),
            CONTROL,
        ],
        INSUFFICIENT,
        "dns.one_resolver_fails",
        "dns.timeout",
    ),
    Case(
        "and a finding where it answers another name, and this one never",
        [
            *(failed("generic_timeout_error") for _ in "ab"),
            lookup(hostname="example.com"),
            lookup(resolver="udp"),
            CONTROL,
        ],
        BLOCKED,
        "dns.failure_control_ok",
        "dns.timeout",
    ),
    Case(
        "nothing where it answers when asked again",
        [failed("generic_timeout_error"), lookup(), CONTROL],
        OK,
        "dns.other_attempt_works",
    ),
    Case(
        "and a finding where no resolver of the probe gets an answer",
        [failed("generic_timeout_error"), failed("generic_timeout_error", resolver="udp"), CONTROL],
        BLOCKED,
        "dns.failure_control_ok",
        "dns.timeout",
    ),
    Case(
        "no answer has no leaf", [failed("dns_no_answer"), CONTROL], BLOCKED, "dns.failure_control_ok", "dns"
    ),
    Case(
        "no IPv6 address is nothing",
        [lookup(), failed("dns_no_answer", query_type="AAAA"), CONTROL],
        OK,
        "dns.consistent",
    ),
    Case(
        "no IPv6 address is nothing where the lookup of the other failed too",
        [failed("dns_no_answer", query_type="AAAA"), CONTROL],
        INSUFFICIENT,
        "dns.no_answer_for_ipv6",
    ),
    Case(
        "a name that is gone everywhere is down",
        [failed(), helper(Layer.DNS, "dns_nxdomain_error")],
        DOWN,
        "dns.down",
        "server.down",
    ),
    Case(
        "a name without addresses anywhere is down",
        [failed("dns_no_answer"), helper(Layer.DNS, answers=(), answer_asns=())],
        DOWN,
        "dns.down",
        "server.down",
    ),
    Case(
        "a public resolver that cannot be used says nothing",
        [failed("generic_timeout_error", resolver="udp"), CONTROL],
        INSUFFICIENT,
        "dns.public_resolver",
    ),
    Case(
        "one that denies the name is injected",
        [failed(resolver="udp"), CONTROL],
        BLOCKED,
        "dns.failure_control_ok",
        "dns.nxdomain",
    ),
    Case(
        "a resolver in trouble is a symptom only",
        [failed("dns_servfail_error"), CONTROL],
        INSUFFICIENT,
        "dns.resolver_trouble",
        "dns",
    ),
    Case(
        "also where another resolver knows the name",
        [failed("dns_servfail_error"), lookup(resolver="udp"), CONTROL],
        INSUFFICIENT,
        "dns.one_resolver_fails",
        "dns",
    ),
    Case("the probe's own fault", [failed("network_down"), lookup(), CONTROL], INSUFFICIENT, "dns.own_fault"),
    Case(
        "without control another resolver and a valid certificate prove a denial wrong",
        [failed(), lookup(resolver="doh"), observation(Layer.TLS)],
        BLOCKED,
        "dns.denied_by_one_resolver",
        "dns.nxdomain",
    ),
    Case(
        "and without the certificate they do not",
        [failed(), lookup(resolver="doh"), observation(Layer.TLS, "connection_reset")],
        OK,
        "dns.few_names",
    ),
    Case(
        "without control all names failing is a symptom",
        [failed(hostname=f"{n}.x.com") for n in "abcd"] + [lookup(hostname="e.x.com")],
        INSUFFICIENT,
        "dns.no_control",
        "dns.nxdomain",
    ),
    Case(
        "and a few of many is ordinary",
        [failed(hostname="a.x.com"), *(lookup(hostname=f"{n}.x.com") for n in "bcd")],
        OK,
        "dns.few_names",
    ),
    Case(
        "a redirect's name that fails while the helper followed is blocked",
        [failed(hostname="y.com", role="redirect"), PAGE],
        BLOCKED,
        "dns.failure_control_ok",
        "dns.nxdomain",
    ),
    Case(
        "and a symptom where the helper loaded nothing",
        [failed(hostname="y.com", role="redirect"), helper(Layer.HTTP, "eof_error")],
        INSUFFICIENT,
        "dns.no_control",
        "dns.nxdomain",
    ),
]


@each("case", CASES, ids=lambda case: case.sentence)
def test_a_failed_lookup_is_judged(case: Case) -> None:
    assert first_said(case) == (case.state, case.rule, case.mechanism)
