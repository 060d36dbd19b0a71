"""Answers that only another party's word tells from the site's own: the helper's, or a public resolver's."""

from fanous.model.measurement import Layer
from tests.analysis.rules.lookups import (
    BLOCKED,
    DOWN,
    INSUFFICIENT,
    OTHER,
    Case,
    failed,
    first_said,
    lookup,
    other,
)
from tests.builders import helper, observation
from tests.each import each

FOR_OTHERS = observation(Layer.TLS, "ssl_invalid_hostname", ip=OTHER)
OF_UNKNOWN_NETWORK = helper(Layer.DNS, answer_asns=(0,))
NOTICE = '<iframe src="http://peyvandha.ir/"></iframe>'

CASES = [
    Case(
        "a certificate for other names proves nothing where nobody knows the control's networks",
        [lookup(OTHER, 0), OF_UNKNOWN_NETWORK, FOR_OTHERS, helper(Layer.TLS)],
        INSUFFICIENT,
        "dns.sibling_certificate",
        "dns.injection.other",
    ),
    Case(
        "unless another resolver leads the probe to a valid one",
        [
            lookup(OTHER, 0),
            lookup(asn=0, resolver="doh"),
            OF_UNKNOWN_NETWORK,
            FOR_OTHERS,
            observation(Layer.TLS),
            helper(Layer.TLS),
        ],
        BLOCKED,
        "dns.wrong_certificate",
        "dns.injection.other",
    ),
    Case(
        "but what the helper meets there does, whether or not networks are known",
        [
            lookup(OTHER, 0),
            OF_UNKNOWN_NETWORK,
            observation(Layer.TCP, "generic_timeout_error", ip=OTHER),
            helper(Layer.TLS),
            helper(Layer.TLS, "ssl_invalid_hostname", ip=OTHER),
        ],
        BLOCKED,
        "dns.not_there_outside",
        "dns.injection.other",
    ),
    Case(
        "a name that exists nowhere else is a ghost where a public resolver answers it too",
        [other(), other(resolver="udp"), helper(Layer.DNS, "dns_nxdomain_error")],
        BLOCKED,
        "dns.ghost",
        "dns.injection.other",
    ),
    Case(
        "or where it leads to a notice",
        [
            other(),
            helper(Layer.DNS, "dns_nxdomain_error"),
            observation(Layer.HTTP, url="http://x.com/", ip=OTHER, body=NOTICE),
        ],
        BLOCKED,
        "dns.ghost",
        "dns.injection.other",
        {"country": "IR"},
    ),
    Case(
        "else only a symptom, since many operators answer missing names",
        [other(), helper(Layer.DNS, "dns_nxdomain_error")],
        INSUFFICIENT,
        "dns.ghost_without_proof",
        "dns.injection.other",
    ),
    Case(
        "and none where a public resolver denies the name",
        [other(), failed(resolver="udp"), helper(Layer.DNS, "dns_nxdomain_error")],
        DOWN,
        "dns.down",
        "server.down",
    ),
    Case(
        "but not where the operator answers missing names with a search page",
        [
            other(),
            helper(Layer.DNS, "dns_nxdomain_error"),
            observation(
                Layer.HTTP,
                url="http://x.com/",
                status_code=302,
                location="http://search.114so.cn/search_web.html?id=168",
            ),
        ],
        INSUFFICIENT,
        "dns.departs",
    ),
]


@each("case", CASES, ids=lambda case: case.sentence)
def test_an_answer_is_judged_by_what_others_see(case: Case) -> None:
    assert first_said(case) == (case.state, case.rule, case.mechanism)
