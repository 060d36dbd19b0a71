"""Answers: forged, or another of the site's own?"""

from dataclasses import replace

from fanous.model.measurement import Layer
from tests.analysis.rules.lookups import (
    BLOCKED,
    BOGON,
    CONTROL,
    DOWN,
    FALSE_FRONT,
    INSUFFICIENT,
    OK,
    OTHER,
    PAGE,
    Case,
    failed,
    first_said,
    lookup,
    other,
)
from tests.analysis.rules.verdict_of import verdicts
from tests.builders import ADDRESS, helper, observation
from tests.each import each

QUAD9, OPENDNS = 19281, 36692

FILTERED = [
    Case(
        "a page of a filter that people choose is no page of a censor's",
        [lookup(OTHER, OPENDNS), CONTROL, FALSE_FRONT],
        INSUFFICIENT,
        "dns.users_filter",
    ),
    Case(
        "nor is the user's own machine as its answer",
        [lookup("0.0.0.0", 0), CONTROL],
        INSUFFICIENT,
        "dns.users_filter",
        given={"resolver_asn": QUAD9},
    ),
    Case(
        "nor its denial, if another resolver found the name",
        [failed(), lookup(resolver="udp"), CONTROL],
        INSUFFICIENT,
        "dns.denied_by_users_filter",
        given={"resolver_asn": QUAD9},
    ),
    Case(
        "what a resolver outside denies too was forged on the path, whatever resolver the user chose",
        [failed(), failed(resolver="udp"), CONTROL],
        BLOCKED,
        "dns.failure_control_ok",
        "dns.nxdomain",
        given={"resolver_asn": QUAD9},
    ),
    Case(
        "nor does a filter hand out an address of a foreign network's own",
        [lookup(BOGON, 0), CONTROL],
        BLOCKED,
        "dns.bogon",
        "dns.injection.bogon",
        given={"resolver_asn": QUAD9},
    ),
    Case(
        "on its own network a filter is the network's",
        [failed(), CONTROL],
        BLOCKED,
        "dns.failure_control_ok",
        "dns.nxdomain",
        given={"resolver_asn": QUAD9, "asn": QUAD9},
    ),
]

CASES = [
    *FILTERED,
    Case("the same address is right", [lookup(), CONTROL], OK, "dns.consistent"),
    Case("the same network is right", [lookup(OTHER), CONTROL], OK, "dns.consistent"),
    Case(
        "an unknown network is not the same network",
        [lookup(OTHER, 0), helper(Layer.DNS, answer_asns=(0,))],
        INSUFFICIENT,
        "dns.departs",
    ),
    Case(
        "a valid certificate there makes another address right",
        [other(), CONTROL, observation(Layer.TLS, ip=OTHER)],
        OK,
        "dns.consistent",
    ),
    Case(
        "so does a valid certificate that the helper saw there, as of a near cache",
        [other(), CONTROL, observation(Layer.TLS, "connection_reset", ip=OTHER), helper(Layer.TLS, ip=OTHER)],
        OK,
        "dns.consistent",
    ),
    Case("another address alone says nothing", [other(), CONTROL], INSUFFICIENT, "dns.departs"),
    Case(
        "another address that is silent is a symptom only",
        [other(), CONTROL, observation(Layer.TCP, "generic_timeout_error", ip=OTHER)],
        INSUFFICIENT,
        "dns.departs_and_dead",
        "dns.injection.other",
    ),
    Case(
        "an IPv6 answer that a machine without IPv6 cannot reach is not silent",
        [
            lookup("2a00:1450::1", 64500),
            CONTROL,
            observation(Layer.TCP, "network_unreachable", ip="2a00:1450::1"),
        ],
        INSUFFICIENT,
        "dns.departs",
    ),
    Case(
        "a wrong certificate there makes it forged",
        [
            other(),
            CONTROL,
            observation(Layer.TLS, "ssl_invalid_hostname", ip=OTHER),
            helper(Layer.TLS),
            helper(Layer.TLS, "ssl_invalid_hostname", ip=OTHER),
        ],
        BLOCKED,
        "dns.wrong_certificate",
        "dns.injection.other",
    ),
    Case(
        "unless the site's own certificate is wrong everywhere",
        [
            other(),
            CONTROL,
            observation(Layer.TLS, "ssl_invalid_hostname", ip=OTHER),
            helper(Layer.TLS, "ssl_invalid_hostname"),
        ],
        INSUFFICIENT,
        "dns.departs",
    ),
    Case(
        "another page there makes it forged",
        [
            other(),
            CONTROL,
            observation(
                Layer.HTTP, ip=OTHER, url="http://x.com/", body_length=99, title="No", header_names=()
            ),
            PAGE,
        ],
        BLOCKED,
        "dns.other_page",
        "dns.injection.other",
    ),
    Case(
        "the site's page there makes it right",
        [other(), CONTROL, observation(Layer.HTTP, ip=OTHER, url="http://x.com/"), PAGE],
        OK,
        "dns.same_title",
    ),
    Case(
        "another resolver that agrees with the control contradicts a dead answer",
        [
            other(),
            lookup(resolver="doh"),
            CONTROL,
            observation(Layer.TCP, "connection_refused", ip=OTHER),
        ],
        BLOCKED,
        "dns.contradicted",
        "dns.injection.other",
    ),
    Case("a bogon is forged", [lookup(BOGON, 0), CONTROL], BLOCKED, "dns.bogon", "dns.injection.bogon"),
    Case("without control too", [lookup(BOGON, 0)], BLOCKED, "dns.bogon", "dns.injection.bogon"),
    Case(
        "but not where a login page answers there and nothing else can be reached",
        [
            lookup(BOGON, 0),
            observation(Layer.TLS, "ssl_invalid_hostname", ip=BOGON),
            observation(Layer.TCP, ip=BOGON),
        ],
        INSUFFICIENT,
        "dns.portal",
    ),
    Case(
        "and only a symptom where neither it nor anything else can be reached",
        [lookup(BOGON, 0), observation(Layer.TCP, "generic_timeout_error", ip=BOGON)],
        INSUFFICIENT,
        "dns.bogon_without_control",
        "dns.injection.bogon",
        {"control_failure": "generic_timeout_error"},
    ),
    Case(
        "unless the address is known for it in the country",
        [lookup(BOGON, 0), observation(Layer.TCP, "generic_timeout_error", ip=BOGON)],
        BLOCKED,
        "dns.bogon",
        "dns.injection.bogon",
        {"control_failure": "generic_timeout_error", "country": "IR"},
    ),
    Case(
        "or another resolver's answer could be reached",
        [lookup(BOGON, 0), observation(Layer.TCP)],
        BLOCKED,
        "dns.bogon",
        "dns.injection.bogon",
        {"control_failure": "generic_timeout_error"},
    ),
    Case(
        "the machine that asks is a symptom only, since parked names lead there",
        [lookup("0.0.0.0", 0), lookup("127.0.0.1", 0, resolver="udp")],
        INSUFFICIENT,
        "dns.own_machine_without_control",
        "dns.injection.bogon",
        {"control_failure": "generic_timeout_error"},
    ),
    Case(
        "and forged where another resolver led to the site itself",
        [lookup("0.0.0.0", 0), lookup(resolver="doh"), observation(Layer.TLS)],
        BLOCKED,
        "dns.bogon_by_one_resolver",
        "dns.injection.bogon",
        {"control_failure": "generic_timeout_error"},
    ),
    Case(
        "or where the helper was given one",
        [lookup("0.0.0.0", 0), CONTROL],
        BLOCKED,
        "dns.bogon",
        "dns.injection.bogon",
    ),
    Case(
        "an address is not looked up",
        [lookup("8.8.8.8", 0, hostname="8.8.8.8"), CONTROL],
        INSUFFICIENT,
        "dns.address",
    ),
    Case(
        "or another resolver led to the site itself",
        [lookup(BOGON, 0), lookup(resolver="doh"), observation(Layer.TLS)],
        BLOCKED,
        "dns.bogon_by_one_resolver",
        "dns.injection.bogon",
    ),
    Case(
        "as where the address answers with a certificate of somebody else's",
        [other(), lookup(resolver="doh"), FALSE_FRONT, observation(Layer.TLS)],
        BLOCKED,
        "dns.wrong_certificate_by_one_resolver",
        "dns.injection.other",
    ),
    Case(
        "but not where a proxy near the user shows its own to all",
        [
            other(),
            lookup(resolver="doh"),
            FALSE_FRONT,
            observation(Layer.TLS),
            replace(FALSE_FRONT, target="y.com", hostname="y.com"),
        ],
        INSUFFICIENT,
        "dns.bad_certificate_without_control",
    ),
    Case(
        "but not where that one's certificate is another's",
        [lookup(BOGON, 0), lookup(resolver="doh"), observation(Layer.TLS, "ssl_invalid_hostname")],
        INSUFFICIENT,
        "dns.lone_bogon",
    ),
    Case(
        "but not one of many names, which may be so on purpose",
        [lookup("127.0.0.1", 0, hostname="uptime.x.com"), *(lookup(hostname=f"{n}.x.com") for n in "abc")],
        INSUFFICIENT,
        "dns.lone_bogon",
    ),
    Case(
        "a bogon that the whole world gets is the site's own",
        [lookup("127.0.0.1", 0), helper(Layer.DNS, answers=("127.0.0.2",), answer_asns=(0,))],
        DOWN,
        "dns.bogon_everywhere",
        "server.down",
    ),
    Case(
        "a bogon with a valid certificate is a cache inside the operator",
        [lookup(BOGON, 0), CONTROL, observation(Layer.TLS, ip=BOGON)],
        OK,
        "dns.consistent",
    ),
    Case(
        "one bogon for IPv6 beside a good IPv4 address is no finding",
        [
            observation(Layer.DNS, answers=(ADDRESS, "::1"), answer_asns=(13414, 0)),
            CONTROL,
        ],
        OK,
        "dns.consistent",
    ),
    Case(
        "nor is it where no control was asked",
        [observation(Layer.DNS, answers=(ADDRESS, "::1"), answer_asns=(13414, 0))],
        OK,
        "dns.answered",
    ),
    Case(
        "an address of a block page is forged",
        [lookup("195.175.254.2", 9121), CONTROL],
        BLOCKED,
        "dns.block_address",
        "dns.injection.blockpage",
        {"country": "TR"},
    ),
    Case(
        "another platform's address is an injector's",
        [lookup("31.13.94.37", 32934), CONTROL],
        BLOCKED,
        "dns.foreign_platform",
        "dns.injection.other",
    ),
    Case(
        "unless the name is that platform's",
        [
            lookup("31.13.94.37", 32934, hostname="www.facebook.com"),
            helper(Layer.DNS, hostname="www.facebook.com"),
        ],
        INSUFFICIENT,
        "dns.departs",
    ),
    Case(
        "Facebook's name outside Facebook, and dead, is forged",
        [lookup(OTHER, 64500), observation(Layer.TCP, "generic_timeout_error", ip=OTHER)],
        BLOCKED,
        "dns.not_facebook",
        "dns.injection.other",
        {"test_name": "facebook_messenger"},
    ),
    Case(
        "several of Facebook's names at one address outside Facebook are a symptom, though it answers",
        [
            *(lookup(OTHER, 64500, hostname=f"{name}.facebook.com") for name in ("www", "b-api")),
            observation(Layer.TCP, ip=OTHER),
        ],
        INSUFFICIENT,
        "dns.one_address_for_facebook",
        "dns.injection.other",
        {"test_name": "facebook_messenger"},
    ),
    Case(
        "but not its content network's, which has servers with operators",
        [
            *(lookup(OTHER, 64500, hostname=f"{name}.xx.fbcdn.net") for name in ("scontent", "external")),
            observation(Layer.TCP, ip=OTHER),
        ],
        OK,
        "dns.answered",
        given={"test_name": "facebook_messenger"},
    ),
    Case(
        "nor those at an address of Facebook's own",
        [lookup(OTHER, 32934, hostname=f"{name}.facebook.com") for name in ("www", "b-api")],
        OK,
        "dns.answered",
        given={"test_name": "facebook_messenger"},
    ),
    Case(
        "one name of several that leads to the country's notice is no owner's choice",
        [
            lookup(BOGON, 0, hostname="t.co"),
            lookup(hostname="x.com"),
            lookup(hostname="api.x.com"),
            lookup(hostname="abs.twimg.com"),
        ],
        BLOCKED,
        "dns.block_address",
        "dns.injection.blockpage",
        {"country": "IR"},
    ),
    Case("an answer without control is taken", [lookup()], OK, "dns.answered"),
    Case(
        "unless its certificate is bad",
        [lookup(), observation(Layer.TLS, "ssl_unknown_authority")],
        INSUFFICIENT,
        "dns.bad_certificate_without_control",
    ),
    Case(
        "no address at all says nothing",
        [observation(Layer.DNS, answers=()), CONTROL],
        INSUFFICIENT,
        "dns.no_address",
    ),
]


@each("case", CASES, ids=lambda case: case.sentence)
def test_an_answer_is_judged(case: Case) -> None:
    assert first_said(case) == (case.state, case.rule, case.mechanism)


def test_a_forged_answer_through_a_public_resolver_is_said_to_be_forged_on_the_path() -> None:
    found = verdicts(lookup(BOGON, 0), lookup(BOGON, 0, resolver="udp"), CONTROL)
    assert found[0].observations == 2
    assert "forged on the path" in found[0].why
    assert "forged on the path" not in verdicts(lookup(BOGON, 0), CONTROL)[0].why
