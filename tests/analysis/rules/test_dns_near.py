"""Answers with a network's own routes, and names that lead nowhere for everyone."""

from fanous.model.measurement import Layer
from tests.analysis.rules.lookups import (
    BLOCKED,
    CONTROL,
    DOWN,
    FALSE_FRONT,
    INSUFFICIENT,
    OK,
    OTHER,
    PAGE,
    Case,
    first_said,
    lookup,
    other,
)
from tests.builders import helper, observation
from tests.each import each

CAMPUS = "10.20.0.80"

CASES = [
    Case(
        "also by its length alone, where it has no title",
        [other(), CONTROL, observation(Layer.HTTP, ip=OTHER, url="http://x.com/", title=""), PAGE],
        OK,
        "dns.same_page",
    ),
    Case(
        "so is an address of the user's own network, where the site's page is found",
        [lookup(CAMPUS, 0), CONTROL, observation(Layer.HTTP, ip=CAMPUS, url="http://x.com/"), PAGE],
        OK,
        "dns.same_title",
    ),
    Case(
        "but not one where a notice is",
        [
            lookup(CAMPUS, 0),
            CONTROL,
            observation(Layer.HTTP, ip=CAMPUS, url="http://x.com/", title="No", header_names=()),
            PAGE,
        ],
        BLOCKED,
        "dns.bogon",
        "dns.injection.bogon",
    ),
    Case(
        "nor another one behind which stands another's certificate, and the site's page in clear",
        [
            other(),
            CONTROL,
            FALSE_FRONT,
            observation(Layer.HTTP, ip=OTHER, url="http://x.com/"),
            PAGE,
            helper(Layer.TLS),
        ],
        OK,
        "dns.same_title",
    ),
    Case(
        "an answer at which every handshake is cut, while another resolver gave the control's, is a symptom",
        [
            other(),
            lookup(resolver="doh"),
            CONTROL,
            observation(Layer.TCP, ip=OTHER),
            observation(Layer.TLS, "connection_reset", ip=OTHER),
        ],
        INSUFFICIENT,
        "dns.departs_and_dead",
        "dns.injection.other",
    ),
    Case(
        "the one name that its owner points to the machine itself is no forgery where no other is answered",
        [
            lookup("127.0.0.1", 0, hostname="uptime.signal.org"),
            observation(Layer.DNS, "generic_timeout_error", hostname="chat.signal.org"),
            observation(Layer.DNS, "generic_timeout_error", hostname="cdn.signal.org"),
        ],
        INSUFFICIENT,
        "dns.lone_bogon",
        given={"test_name": "signal"},
    ),
    Case(
        "a name that leads the control to an address of nobody's is down, also where a router withholds it",
        [observation(Layer.DNS, "dns_no_answer"), helper(Layer.DNS, answers=("192.168.0.10",))],
        DOWN,
        "dns.down",
        "server.down",
    ),
]


@each("case", CASES, ids=lambda case: case.sentence)
def test_an_answer_is_judged(case: Case) -> None:
    assert first_said(case) == (case.state, case.rule, case.mechanism)
