"""Pages: a block page, another page, or the site's own word?"""

from typing import Any

import pytest

from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import Said, said, verdicts
from tests.builders import helper, observation
from tests.each import each

Given = dict[str, Any]

NOTICE = "<title>Surf Safely!</title> This website is not accessible in Pakistan"


def page(url: str = "http://x.com/", **given: Any) -> Observation:
    return observation(Layer.HTTP, url=url, **{"port": 80} | given)


def other(**given: Any) -> Observation:
    fields: Given = {"body_length": 190, "title": "Access Denied"}
    return page(**(fields | given))


def notice(**given: Any) -> Observation:
    fields: Given = {"body": NOTICE, "body_length": 99, "title": "Surf Safely!"}
    return page(**(fields | given))


CONTROL = helper(Layer.HTTP, url="http://x.com/", header_names=("x-own",), server="tsa_f")
SECURE = "https://x.com/"


@each(
    ("observations", "first"),
    [
        ([page(), CONTROL], (State.OK, "http.same_page", "")),
        ([notice(), CONTROL], (State.BLOCKED, "http.blockpage", "http.blockpage")),
        ([notice()], (State.BLOCKED, "http.blockpage", "http.blockpage")),
        # Over validated TLS it is the site's own answer, whatever its content.
        ([notice(url=SECURE), CONTROL], (State.OK, "http.ok_over_tls", "")),
        # A domain that was seized shows everyone the same page.
        (
            [notice(), helper(Layer.HTTP, title="Surf Safely!", body_length=99)],
            (State.OK, "http.same_page", ""),
        ),
        (
            [page(status_code=302, location="http://1.1.1.1:8080/webadmin/deny/"), CONTROL],
            (State.BLOCKED, "http.redirect_to_blockpage", "http.redirect"),
        ),
        (
            [
                page(status_code=302, location="http://stop.example/"),
                notice(url="http://stop.example/", hostname="stop.example", role="redirect"),
                CONTROL,
            ],
            (State.BLOCKED, "http.redirect_to_blockpage", "http.redirect"),
        ),
        # The redirect could not be followed, but where it leads is known.
        (
            [page(status_code=302, location="http://1.1.1.1/webadmin/deny/", failure="eof_error"), CONTROL],
            (State.BLOCKED, "http.redirect_to_blockpage", "http.redirect"),
        ),
        ([page(status_code=301, location=SECURE), CONTROL], (State.OK, "http.redirected", "")),
        (
            [page(status_code=302, location="http://192.168.88.1/login"), CONTROL],
            (State.INSUFFICIENT, "http.portal", ""),
        ),
        ([other(), CONTROL], (State.BLOCKED, "http.other_page", "http.blockpage.unknown")),
        ([other(status_code=403), CONTROL], (State.BLOCKED, "http.other_page", "http.error")),
        # Where no letter comes it is no page that was put in the place of the site's.
        ([other(body_length=0, title=""), CONTROL], (State.BLOCKED, "http.other_page", "http")),
        # Firewalls and load balancers of sites refuse too; an answer that names no server comes from none of them.
        (
            [other(status_code=403, server="nginx"), CONTROL],
            (State.INSUFFICIENT, "http.refused_by_a_server", "http.error"),
        ),
        (
            [other(status_code=403, server="awselb/2.0"), CONTROL],
            (State.INSUFFICIENT, "http.refused_by_site", "server.geo_block"),
        ),
        # The control was asked to prove that it is human, and got no page.
        (
            [page(), helper(Layer.HTTP, status_code=202, body_length=0, title="")],
            (State.INSUFFICIENT, "http.incomparable", ""),
        ),
        ([other(status_code=202), CONTROL], (State.INSUFFICIENT, "http.incomparable", "")),
        (
            [other(status_code=202, header_names=("x-amzn-waf-action",)), CONTROL],
            (State.OK, "http.challenge", ""),
        ),
        ([other(body_truncated=True), CONTROL], (State.INSUFFICIENT, "http.incomparable", "")),
        ([other(url=SECURE), CONTROL], (State.OK, "http.ok_over_tls", "")),
        ([other(status_code=503), CONTROL], (State.INSUFFICIENT, "http.server_error", "")),
        ([other(status_code=404), CONTROL], (State.INSUFFICIENT, "http.missing_page", "")),
        (
            [other(status_code=403, server="AkamaiGHost"), CONTROL],
            (State.OK, "http.challenge", ""),
        ),
        (
            [other(status_code=403, server="tsa_f"), CONTROL],
            (State.INSUFFICIENT, "http.refused_by_site", "server.geo_block"),
        ),
        ([other(status_code=451), CONTROL], (State.INSUFFICIENT, "http.refused_by_site", "server.geo_block")),
        ([page(url=SECURE, status_code=451), CONTROL], (State.OK, "http.geo_block", "server.geo_block")),
        ([page(url=SECURE, status_code=403), CONTROL], (State.OK, "http.geo_block", "server.geo_block")),
        ([page(url=SECURE, status_code=403)], (State.OK, "http.ok_over_tls", "")),
        (
            [other(status_code=503, server="cloudflare", title="Just a moment..."), CONTROL],
            (State.OK, "http.challenge", ""),
        ),
        (
            [other(title="Just a moment...", body="<title>Just a moment...</title>"), CONTROL],
            (State.OK, "http.challenge", ""),
        ),
        ([other(), helper(Layer.HTTP, status_code=500)], (State.INSUFFICIENT, "http.incomparable", "")),
        ([page()], (State.INSUFFICIENT, "http.incomparable", "")),
        # A redirect to validated TLS that looks different by country is no finding, nor is it a proof.
        (
            [
                page(status_code=302, location="https://y.com/"),
                other(url="https://y.com/", hostname="y.com", role="redirect"),
                CONTROL,
            ],
            (State.INSUFFICIENT, "http.incomparable", ""),
        ),
        # A known notice on such a page is one.
        (
            [
                page(status_code=302, location="https://y.com/"),
                notice(url="https://y.com/", hostname="y.com", role="redirect"),
                CONTROL,
            ],
            (State.BLOCKED, "http.redirect_to_blockpage", "http.redirect"),
        ),
        # Unless the site itself sent its visitors there.
        (
            [
                page(url=SECURE, status_code=302, location="https://y.com/"),
                notice(url="https://y.com/", hostname="y.com", role="redirect"),
                CONTROL,
            ],
            (State.OK, "http.ok_over_tls", ""),
        ),
    ],
)
def test_a_page_is_judged(observations: list[Observation], first: Said) -> None:
    assert said(Layer.HTTP, *observations)[0] == first


def test_a_page_without_helper_by_design_is_taken() -> None:
    assert said(Layer.HTTP, page(), test_name="telegram") == [(State.OK, "http.answered", "")]


@pytest.mark.parametrize(
    ("name", "network", "given", "rule"),
    [
        ("notice.isp.example", 17557, {}, "http.sent_to_own_network"),
        ("notice.isp.example", 64501, {}, "http.incomparable"),  # a regional site, a parked name's advertiser
        ("www.x.com", 17557, {}, "http.incomparable"),  # the site's own, at home with the operator
        ("notice.isp.example", 17557, {"title": CONTROL.title}, "http.ok_over_tls"),
    ],
)
def test_an_unknown_page_of_the_users_own_network_is_a_symptom_where_an_unencrypted_page_led_there(
    name: str, network: int, given: Given, rule: str
) -> None:
    url = f"https://{name}/"
    found = verdicts(
        observation(Layer.DNS),
        page(status_code=302, location=url),
        observation(Layer.DNS, hostname=name, answers=("5.5.5.5",), answer_asns=(network,), role="redirect"),
        other(url=url, hostname=name, role="redirect", **given),
        helper(Layer.DNS),
        CONTROL,
    )
    (there,) = [v for v in found if v.layer is Layer.HTTP and v.role == "redirect"]
    assert (there.rule_id, there.symptom) == (rule, rule == "http.sent_to_own_network")


@pytest.mark.parametrize(
    ("name", "network", "mechanism", "controlled"),
    [
        ("", 64501, "http.redirect", True),  # a bare address
        ("notice.isp.example", 17557, "http.redirect", True),
        ("notice.isp.example", 64501, "http.blockpage.unknown", False),  # a parked name's advertiser, perhaps
        ("www.x.com", 17557, "http.blockpage.unknown", False),  # the site's own, at home with the operator
    ],
)
def test_only_what_no_site_does_itself_makes_another_page_controlled(
    name: str, network: int, mechanism: str, controlled: bool
) -> None:
    url = f"http://{name or '5.5.5.5'}/"
    found = verdicts(
        observation(Layer.DNS),
        page(status_code=302, location=url),
        observation(Layer.DNS, hostname=name, answers=("5.5.5.5",), answer_asns=(network,), role="redirect"),
        other(url=url, hostname=name, role="redirect"),
        helper(Layer.DNS),
        CONTROL,
    )
    (there,) = [v for v in found if v.rule_id == "http.other_page"]
    assert (there.mechanism, there.controlled) == (mechanism, controlled)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("it.x.com", "http.sent_to_sibling"),
        ("www.x.co.uk", "http.sent_to_sibling"),
        ("www.x.com", "http.other_page"),  # there leads every first page, and a notice may stand there
        ("notice.example", "http.other_page"),
        ("x.notice.example", "http.other_page"),
    ],
)
def test_another_unencrypted_page_of_the_sites_own_sibling_is_a_symptom(name: str, rule: str) -> None:
    url = f"http://{name}/"
    found = verdicts(
        page(status_code=302, location=url), other(url=url, hostname=name, role="redirect"), CONTROL
    )
    (there,) = [v for v in found if v.layer is Layer.HTTP and v.role == "redirect"]
    assert (there.rule_id, there.symptom) == (rule, rule == "http.sent_to_sibling")


def test_what_a_company_bought_to_filter_its_own_is_no_block_page() -> None:
    words = "<p>Your organization has selected Zscaler to protect you from internet threats.</p>"
    assert said(Layer.HTTP, notice(body=words), CONTROL)[0][1] == "http.portal"


def test_a_page_that_is_missing_in_a_different_network_is_a_symptom() -> None:
    astray = observation(Layer.DNS, answers=("5.5.5.5",), answer_asns=(64501,))
    missing = other(ip="5.5.5.5", status_code=404)
    found = verdicts(astray, missing, helper(Layer.DNS), CONTROL)
    assert [(v.rule_id, v.symptom) for v in found if v.layer is Layer.HTTP] == [
        ("http.missing_page_in_other_network", True)
    ]
    # Helpers of old do not say in which networks the site is.
    unplaced = helper(Layer.DNS, answer_asns=())
    assert said(Layer.HTTP, astray, missing, unplaced, CONTROL)[0][1] == "http.missing_page"
    near = observation(Layer.DNS)
    assert (
        said(Layer.HTTP, near, other(status_code=404), helper(Layer.DNS), CONTROL)[0][1]
        == "http.missing_page"
    )


def test_a_page_from_a_forged_address_is_the_lookups_finding() -> None:
    forged = observation(Layer.DNS, answers=("10.10.34.36",), answer_asns=(0,))
    found = said(Layer.HTTP, forged, other(ip="10.10.34.36"), helper(Layer.DNS), CONTROL)
    assert found == [(State.INSUFFICIENT, "http.after_wrong_answer", "")]


def test_a_pattern_of_another_country_does_not_count() -> None:
    assert said(Layer.HTTP, notice(), test_name="telegram", country="DE") == [(State.OK, "http.answered", "")]
