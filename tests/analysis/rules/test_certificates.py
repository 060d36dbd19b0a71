"""An invalid certificate: interception only if nothing else explains it, on any layer."""

from typing import Any

import pytest

from fanous.analysis.rules.authorities import known_issuer
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State
from tests.analysis.rules.verdict_of import said
from tests.builders import helper, observation
from tests.each import each

AUTHORITY, HOSTNAME, EXPIRED = "ssl_unknown_authority", "ssl_invalid_hostname", "ssl_invalid_certificate"
LETS_ENCRYPT = "Let's Encrypt E6"
BLOCKED, DOWN, INSUFFICIENT, OK = State.BLOCKED, State.DOWN, State.INSUFFICIENT, State.OK

PROXY = (INSUFFICIENT, "local_proxy", "")
OTHER_NAME = observation(Layer.TLS, hostname="control.example", ip="9.9.9.9")
SECRET_LOOKUP = observation(Layer.DNS, resolver="doh")
UP = {"failure": None}
"""The helper, at this layer."""


@each("layer", [Layer.TLS, Layer.QUIC, Layer.HTTP])
@each(
    ("failure", "seen", "control", "given", "said_here"),
    [
        (AUTHORITY, {}, UP, {}, (BLOCKED, "intercepted", "tls.mitm")),
        (HOSTNAME, {}, UP, {}, (BLOCKED, "intercepted", "tls.mitm.ca_signed")),
        (
            AUTHORITY,
            {"cert_issuer": known_issuer("Filter", ["Filter"])},
            UP,
            {},
            (BLOCKED, "intercepted", "tls.mitm.self_signed"),
        ),
        # A wrong clock on the probe.
        (EXPIRED, {}, UP, {}, (INSUFFICIENT, "clock", "")),
        # An old machine does not know the authority of today; a filter's certificate is for another name.
        (
            AUTHORITY,
            {"cert_subject": "x.com *.x.com", "cert_issuer": LETS_ENCRYPT},
            UP,
            {},
            (INSUFFICIENT, "old_authorities", ""),
        ),
        (
            AUTHORITY,
            {"cert_subject": "*.x.com", "cert_issuer": LETS_ENCRYPT, "hostname": "www.x.com"},
            UP,
            {},
            (INSUFFICIENT, "old_authorities", ""),
        ),
        (
            AUTHORITY,
            {"cert_subject": "", "cert_issuer": LETS_ENCRYPT},
            UP,
            {},
            (BLOCKED, "intercepted", "tls.mitm"),
        ),
        (AUTHORITY, {"cert_issuer": "Kaspersky Anti-Virus Personal Root"}, UP, {}, PROXY),
        # A proxy near the user meets the helper's name too.
        (AUTHORITY, {}, None, {"control_failure": AUTHORITY}, (INSUFFICIENT, "local_proxy", "")),
        # A probe older than the service's own authority.
        (AUTHORITY, {}, None, {"test_name": "signal"}, (INSUFFICIENT, "pinned_authority", "")),
    ],
)
def test_what_explains_an_invalid_certificate(
    layer: Layer,
    failure: str,
    seen: dict[str, Any],
    control: dict[str, Any] | None,
    given: dict[str, Any],
    said_here: tuple[State, str, str],
) -> None:
    observations = [observation(layer, failure, **seen)]
    if control is not None:
        observations.append(helper(layer, **control))
    state, rule, mechanism = said_here
    assert said(layer, *observations, **given) == [(state, f"{layer.value}.{rule}", mechanism)]


@each("layer", [Layer.TLS, Layer.QUIC, Layer.HTTP])
@each(
    "control",
    [
        helper(Layer.TLS, HOSTNAME),
        helper(Layer.HTTP, HOSTNAME),
        helper(Layer.HTTP, "unknown_error"),  # old helpers had no name for it
    ],
)
@each("failure", [AUTHORITY, HOSTNAME, EXPIRED])
def test_a_certificate_that_fails_from_outside_too_is_the_sites_own(
    layer: Layer, control: Observation, failure: str
) -> None:
    found = said(layer, observation(layer, failure), control)
    assert found == [(DOWN, f"{layer.value}.own_certificate", "server.down")]


@pytest.mark.parametrize("layer", [Layer.TLS, Layer.QUIC, Layer.HTTP])
def test_two_targets_with_an_unknown_authority_have_a_proxy_in_common(layer: Layer) -> None:
    two = [observation(layer, AUTHORITY, target=name, hostname=f"{name}.com") for name in ("x", "y")]
    assert {rule for _, rule, _ in said(layer, *two, helper(layer))} == {f"{layer.value}.local_proxy"}


@pytest.mark.parametrize("layer", [Layer.TLS, Layer.QUIC, Layer.HTTP])
def test_one_address_with_a_valid_certificate_excuses_another(layer: Layer) -> None:
    seen = [observation(layer, AUTHORITY), observation(layer, ip="1.2.3.4"), helper(layer)]
    assert (OK, f"{layer.value}.other_certificate_valid", "") in said(layer, *seen)


@pytest.mark.parametrize("layer", [Layer.TLS, Layer.QUIC, Layer.HTTP])
def test_an_encrypted_resolver_with_an_unknown_authority_has_the_proxy_too(layer: Layer) -> None:
    resolver = observation(Layer.DNS, AUTHORITY, resolver="doh", answers=())
    seen = [observation(layer, AUTHORITY), observation(Layer.DNS), resolver]
    found = said(layer, *seen, helper(layer), helper(Layer.HTTP))
    assert found[0] == (INSUFFICIENT, f"{layer.value}.local_proxy", "")


@pytest.mark.parametrize(
    ("issuer", "beside", "rule"),
    [
        ("Filter of the State", [OTHER_NAME], "intercepted"),
        ("Filter of the State", [SECRET_LOOKUP], "intercepted"),
        ("Filter of the State", [], "clock"),
        (LETS_ENCRYPT, [OTHER_NAME], "clock"),  # of a server of the site's own that was forgotten
        ("", [OTHER_NAME], "clock"),
    ],
)
def test_an_interceptors_certificate_may_be_out_of_date_too(
    issuer: str, beside: list[Observation], rule: str
) -> None:
    stale = observation(Layer.TLS, EXPIRED, cert_issuer=issuer, cert_subject="x.com")
    assert said(Layer.TLS, stale, *beside, helper(Layer.TLS))[0][1] == f"tls.{rule}"
    # If the helper reached nothing at this address, it may be the site's.
    assert said(Layer.TLS, stale, *beside, helper(Layer.HTTP))[0][1] == "tls.clock"
