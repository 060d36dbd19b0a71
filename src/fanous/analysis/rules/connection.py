"""Rules for connections and the handshakes of TLS.

Is the address blocked, or down for everyone?  Was the handshake cut by name, intercepted or slowed down, or is the site
at fault?

Invalid certificates have one table, used in every layer that can see one (pages included): is it
interception, a proxy near the user, a wrong clock or the site itself?  Its ids begin with the layer.
"""

from math import isnan, nan

from fanous.analysis.rules.authorities import SELF_SIGNED, is_home_proxy, is_public
from fanous.analysis.rules.evidence import RETRANSMISSION, Controls, middle
from fanous.analysis.rules.failures import CERTIFICATE_CAUSES, CUT_CAUSES, Cause, cause_of
from fanous.analysis.rules.rule import Rule, Text
from fanous.model.measurement import ENCRYPTED, Layer, Observation, endpoint, shown_name
from fanous.model.threshold import threshold
from fanous.model.verdict import LINE, SERVER_DOWN, State

# --- TCP ------------------------------------------------------------------------------------------------

CONNECTION_MECHANISMS = {
    Cause.REFUSED: "tcp.refused",
    Cause.TIMEOUT: "tcp.timeout",
    Cause.RESET: "tcp.reset",
    Cause.UNREACHABLE: "ip.unreachable",
}


def endpoint_failure(o: Observation, _c: Controls) -> str:
    where = endpoint(o.ip, o.port) if o.ip else "an unknown address"
    return f"{shown_name(o.hostname) or o.target} at {where}: {o.failure}"


def group_failures(_o: Observation, c: Controls) -> str:
    return f"{c.group.failed} of {c.group.endpoints} endpoints"


def timeout_on_lossy_line(layer: Layer, mechanism: Text, figures: Text) -> Rule:
    """The row for one layer, above what the control elsewhere decides: that says nothing about this line."""
    return Rule(
        id=f"{layer.value}.timeout_on_lossy_line",
        state=State.INSUFFICIENT,
        why="There was no answer in time, but this line loses packets: a connection was established only after its "
        "first packet was sent again.",
        holds=lambda _o, c: (
            c.cause is Cause.TIMEOUT and c.evidence.loses_packets and not c.innocuous_name_works
        ),
        mechanism=mechanism,
        figures=figures,
        symptom=True,
    )


def _of_connection(_o: Observation, c: Controls) -> str:
    return CONNECTION_MECHANISMS.get(c.cause, "tcp")


TCP_RULES = (
    Rule(
        id="tcp.ok_after_loss",
        state=State.OK,
        why="The connection was established only after its first packet was sent again, so this line loses "
        "packets.",
        holds=lambda o, c: o.failure is None and o.seconds >= RETRANSMISSION and c.evidence.loses_packets,
        mechanism=LINE,
    ),
    Rule(
        id="tcp.ok",
        state=State.OK,
        why="The connection was established.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="tcp.own_fault",
        state=State.INSUFFICIENT,
        why="The probe could not connect because of a fault of its own.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.no_ipv6",
        state=State.INSUFFICIENT,
        why="The probe has no working IPv6.",
        holds=lambda _o, c: c.no_ipv6,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.after_wrong_answer",
        state=State.INSUFFICIENT,
        why="The address came from a wrong DNS answer; see the DNS layer.",
        holds=lambda _o, c: c.to_wrong_address,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.down",
        state=State.DOWN,
        why="The endpoint cannot be reached from outside either.",
        holds=lambda _o, c: c.reachable is False,
        mechanism=SERVER_DOWN,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.address_down",
        state=State.INSUFFICIENT,
        why="The site is up, but this one of its addresses does not respond from outside either.",
        holds=lambda _o, c: c.reachable is None and c.same_step is not None,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.other_address_works",
        state=State.OK,
        why="One attempt failed, but another address or attempt worked.",
        holds=lambda _o, c: c.has_helper and c.works_elsewhere,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.unclear_failure",
        state=State.INSUFFICIENT,
        why="The connection failed in an unknown way.",
        holds=lambda _o, c: c.cause is Cause.UNKNOWN and (c.has_helper or c.group.fails),
        mechanism="tcp",
        figures=endpoint_failure,
        symptom=True,
    ),
    timeout_on_lossy_line(Layer.TCP, _of_connection, endpoint_failure),
    # The control says: the address is well. Who refuses or resets from here is on the way; silence may be this
    # line's, which the sender's other measurements decide (analysis.series.line).
    Rule(
        id="tcp.failure_control_ok",
        state=State.BLOCKED,
        why="The connection failed, while the control's succeeded.",
        holds=lambda _o, c: c.reachable is True,
        mechanism=_of_connection,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.port_not_asked",
        state=State.INSUFFICIENT,
        why="No page of this site needs this port, and nothing shows that the port is open at all.",
        holds=lambda o, c: not c.evidence.was_asked(o),
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.few_endpoints",
        state=State.OK,
        why="Enough of the target's endpoints respond; a few failures are normal.",
        holds=lambda _o, c: c.few_endpoints_fail,
        figures=group_failures,
    ),
    Rule(
        id="tcp.group_fails_elsewhere",
        state=State.INSUFFICIENT,
        why="Most of the target's endpoints fail, but at another layer.",
        holds=lambda _o, c: c.group.layer is not Layer.TCP,
        figures=group_failures,
    ),
    Rule(
        id="tcp.nothing_else_works",
        state=State.INSUFFICIENT,
        why="The connection timed out, and so did the helper and lookups over TLS and HTTPS, so the line "
        "itself was at fault.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and c.nothing_else_works,
        mechanism=LINE,
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.no_control",
        state=State.INSUFFICIENT,
        why="The target's endpoints cannot be reached, but nothing shows whether they can be reached "
        "elsewhere.",
        holds=lambda _o, _c: True,
        mechanism=lambda _o, c: CONNECTION_MECHANISMS.get(c.group.cause or c.cause, "tcp"),
        figures=group_failures,
        symptom=True,
    ),
)

# --- invalid certificates -------------------------------------------------------------------------------

PINNED = ("signal",)
"""Nettests that ship their service's own authority: a probe released before the service last changed it distrusts the
real service.
"""


def _may_be_clock(o: Observation, c: Controls) -> bool:
    """May an out-of-date certificate be due to the machine's clock?  An interceptor's own may be out of date too.

    It is an interceptor's if the helper meets a valid one at the same address and other names' certificates are in date
    by the same clock.
    """
    same = c.same_step
    met_valid = same is not None and same.failure is None and same.layer is o.layer is not Layer.HTTP
    is_anothers = bool(o.cert_issuer) and not is_public(o.cert_issuer)
    in_date = c.another_name_works or any(
        s.failure is None and s.resolver in ENCRYPTED for s in c.evidence.of(Layer.DNS)
    )
    return not (met_valid and is_anothers and in_date)


def _from_public_authority(o: Observation) -> bool:
    """Did an authority that browsers trust issue it for this name?  Then the probe's list of them is too old."""
    return is_public(o.cert_issuer) and bool(o.cert_subject)


def _fails_outside(c: Controls) -> bool:
    """Did the helper meet an invalid certificate too, and nowhere a valid one?  Then it is the site's own.

    At a wrong address the helper gets the wrong certificate as well.
    """
    evidence = c.evidence
    if evidence.helper_loaded_page or evidence.helper_works_at(Layer.TLS):
        return False
    page = evidence.helper_page
    if page is not None and page.failure and cause_of(page.failure) in CERTIFICATE_CAUSES | {Cause.UNKNOWN}:
        return True  # old helpers had no name for it
    return any(
        o.failure is not None and cause_of(o.failure) in CERTIFICATE_CAUSES
        for o in evidence.helper.get(Layer.TLS, ())
    )


def _of_certificate(o: Observation, c: Controls) -> str:
    if SELF_SIGNED in o.cert_issuer:
        return "tls.mitm.self_signed"
    return "tls.mitm.ca_signed" if c.cause is Cause.HOSTNAME else "tls.mitm"


def certificate_rules(layer: Layer) -> tuple[Rule, ...]:
    """The table for one layer; it decides every invalid certificate except those without a control."""
    return (
        Rule(
            id=f"{layer.value}.own_certificate",
            state=State.DOWN,
            why="The site's own certificate is not valid, since it fails from outside too.",
            holds=lambda _o, c: c.bad_certificate and _fails_outside(c),
            mechanism=SERVER_DOWN,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.local_proxy",
            state=State.INSUFFICIENT,
            why="A control domain's certificate also came from an unknown authority, or this one came from "
            "security software on the user's machine: there is a local proxy, or the list of authorities is "
            "old.",
            holds=lambda o, c: (
                c.cause is Cause.AUTHORITY and (c.others_distrusted or is_home_proxy(o.cert_issuer))
            ),
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.clock",
            state=State.INSUFFICIENT,
            why="The certificate is out of date here but not outside, as on a machine with a wrong clock.",
            holds=lambda o, c: c.cause is Cause.CERTIFICATE and _may_be_clock(o, c),
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.old_authorities",
            state=State.INSUFFICIENT,
            why="A public authority issued the certificate for this name, so the probe's list of authorities is "
            "too old.",
            holds=lambda o, c: c.cause is Cause.AUTHORITY and _from_public_authority(o),
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.pinned_authority",
            state=State.INSUFFICIENT,
            why="The probe trusts only the service's former authority, which is a defect of the probe.",
            holds=lambda _o, c: c.bad_certificate and c.evidence.parsed.measurement.test_name in PINNED,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.other_certificate_valid",
            state=State.OK,
            why="One address presented an invalid certificate, but another presented a valid one.",
            holds=lambda _o, c: c.bad_certificate and c.works_elsewhere,
            figures=endpoint_failure,
        ),
        # The control says: the site has a valid certificate. No bad line makes another one up.
        Rule(
            id=f"{layer.value}.intercepted",
            state=State.BLOCKED,
            why="The certificate is not the site's, while the control received a valid one, so the connection was "
            "intercepted.",
            holds=lambda _o, c: c.bad_certificate and c.reachable is True,
            mechanism=_of_certificate,
            figures=endpoint_failure,
        ),
    )


# --- TLS ------------------------------------------------------------------------------------------------

SLOWEST = threshold(
    "rules.slow_handshake_seconds",
    1.0,
    "A handshake this slow may be `throttled`; below it, one lost packet can be the reason.",
)
SLOW_RATIO = threshold(
    "rules.slow_handshake_ratio",
    5.0,
    "Times the median handshake with other names in the same measurement, and times the connection to the same "
    "address, since a distant site is slow by itself. Türkiye slowed handshakes from 70 ms to over 3 s while "
    "others stayed normal.",
)


def _others_take(o: Observation, c: Controls) -> float:
    """Median seconds of handshakes with other names in the measurement; NaN = there were none."""
    return middle(c.evidence.times(o.layer, lambda s: s.hostname != o.hostname))


def _fastest(o: Observation, c: Controls) -> float:
    """Fewest seconds of the handshakes with this name that worked; NaN = none was timed."""
    return min(c.evidence.times(o.layer, lambda s: s.hostname == o.hostname), default=nan)


def _own_connect(o: Observation, c: Controls) -> float:
    """Fewest seconds of the connections to this address and port; NaN = none was timed."""
    return min(c.evidence.times(Layer.TCP, lambda s: (s.ip, s.port) == (o.ip, o.port)), default=nan)


def _is_slow(o: Observation, c: Controls) -> bool:
    """Is it slow next to other names, and not only for the distance, which a bare connection has to travel too?"""
    # A fast one shows that the name is not slowed down.  Comparisons with NaN (no control) are false.
    fastest = _fastest(o, c)
    is_far = o.seconds <= SLOW_RATIO * _own_connect(o, c)
    return fastest > SLOWEST and fastest > SLOW_RATIO * _others_take(o, c) and not is_far


def _may_be_slow(o: Observation, c: Controls) -> bool:
    """Is it slow next to its own connection only?  No other name was tried, and a busy server looks like this too."""
    return (
        isnan(_others_take(o, c)) and _fastest(o, c) > SLOWEST and o.seconds > SLOW_RATIO * _own_connect(o, c)
    )


def _of_slow_handshake(o: Observation, c: Controls) -> str:
    """By name only where another name did well at that address."""
    fast = c.evidence.times(o.layer, lambda s: s.hostname != o.hostname and s.ip == o.ip != "")
    return "tls.throttle.sni" if fast and o.seconds > SLOW_RATIO * fast[0] else "tls.throttle"


def _browser_gets_through(o: Observation, c: Controls) -> bool:
    """Was a browser's ClientHello with this name answered here, where the probe's own was cut?

    If one was cut at another address, the name is a trigger too: an injector may lose a race.
    """
    return o.browser == "answered" and not any(
        s.browser == "cut" and s.hostname == o.hostname for s in c.evidence.of(Layer.TLS)
    )


def _is_controlled(c: Controls) -> bool:
    """Did others get through here: the helper, or another name at the same address?"""
    return c.reachable is True or (c.group.fails and c.innocuous_name_works)


def _slow_figures(o: Observation, c: Controls) -> str:
    return f"{o.hostname}: {o.seconds:.2f} s, others {_others_take(o, c):.2f} s"


def _beside_connection(o: Observation, c: Controls) -> str:
    return f"{o.hostname}: {o.seconds:.2f} s, its connection {_own_connect(o, c):.2f} s"


_BY_LOOKS = {Cause.RESET: "tls.reset.fingerprint", Cause.TIMEOUT: "tls.timeout.fingerprint"}
"""Our addition: the form of the ClientHello is the trigger."""


def of_handshake(o: Observation, c: Controls, cause: Cause | None = None) -> str:
    """How it was cut.

    Args:
        cause: of the failure, if it is not the observation's own.
    """
    cause = cause or c.cause
    if cause in _BY_LOOKS and _browser_gets_through(o, c):
        return _BY_LOOKS[cause]
    if cause is Cause.TIMEOUT:
        return "tls.timeout"
    if cause in CERTIFICATE_CAUSES:
        return _of_certificate(o, c)
    if cause is not Cause.RESET:
        return "tls"  # closed without a reset, for which the taxonomy has no leaf
    # The name is the trigger only if another name did well at that address.
    others = [s for s in c.evidence.of(o.layer) if o.ip and s.ip == o.ip and s.hostname != o.hostname]
    if o.hostname and any(s.failure == o.failure for s in others):
        return "tls.reset.other"
    return "tls.reset.sni" if o.hostname and any(s.failure is None for s in others) else "tls.reset"


TLS_RULES = (
    Rule(
        id="tls.slow_handshake",
        state=State.THROTTLED,
        why="The handshake took more than five times as long as with other names in the same measurement.",
        holds=lambda o, c: o.failure is None and o.seconds > SLOWEST and _is_slow(o, c),
        mechanism=_of_slow_handshake,
        figures=_slow_figures,
    ),
    Rule(
        id="tls.slow_without_control",
        state=State.INSUFFICIENT,
        why="The handshake took more than five times as long as the connection, but no other name was tried: "
        "it was slowed down, or the server was busy.",
        holds=lambda o, c: o.failure is None and o.seconds > SLOWEST and _may_be_slow(o, c),
        mechanism=_of_slow_handshake,
        figures=_beside_connection,
    ),
    Rule(
        id="tls.ok",
        state=State.OK,
        why="The handshake was completed.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="tls.own_fault",
        state=State.INSUFFICIENT,
        why="The probe could not perform the handshake because of a fault of its own.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.after_wrong_answer",
        state=State.INSUFFICIENT,
        why="The address came from a wrong DNS answer; see the DNS layer.",
        holds=lambda _o, c: c.to_wrong_address,
        figures=endpoint_failure,
    ),
    *certificate_rules(Layer.TLS),
    Rule(
        id="tls.down",
        state=State.DOWN,
        why="The handshake fails from outside too.",
        holds=lambda _o, c: c.reachable is False,
        mechanism=SERVER_DOWN,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.other_attempt_works",
        state=State.OK,
        why="One attempt failed, but another address or attempt worked.",
        holds=lambda _o, c: c.has_helper and c.works_elsewhere,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.address_down",
        state=State.INSUFFICIENT,
        why="The site is up, but the handshake with this one of its addresses fails from outside too.",
        holds=lambda _o, c: c.reachable is None and c.same_step is not None,
        figures=endpoint_failure,
    ),
    # The control says: the site completes this handshake. An alert has a sender, and another name's handshake from
    # here shows that it is not the line.
    Rule(
        id="tls.alert_for_this_name",
        state=State.BLOCKED,
        why="The handshake was ended by an alert, while the control completed it at the same address and another "
        "name's was completed from here, so someone answered in the server's name.",
        holds=lambda _o, c: (
            c.cause is Cause.ALERT
            and c.innocuous_name_works
            and c.same_step is not None
            and c.reachable is True
        ),
        mechanism=of_handshake,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.unclear_failure",
        state=State.INSUFFICIENT,
        why="The two sides could not agree on a handshake, which both old software and interference can "
        "cause.",
        holds=lambda _o, c: c.cause in (Cause.ALERT, Cause.UNKNOWN) and (c.has_helper or c.group.fails),
        mechanism="tls",
        figures=endpoint_failure,
        symptom=True,
    ),
    # The control says: the site is well, or another name does well on this line. That a browser's message passes
    # shows that the line is well, too.
    Rule(
        id="tls.browser_hello_passes",
        state=State.BLOCKED,
        why="The connection was cut during the handshake, while a browser's first message with the same name "
        "was answered at the same address. The form of the message is what is blocked, so browsers may "
        "get through.",
        holds=lambda o, c: c.cause in CUT_CAUSES and _browser_gets_through(o, c) and _is_controlled(c),
        mechanism=of_handshake,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.slow_line",
        state=State.INSUFFICIENT,
        why="The handshake timed out, but a bare connection alone took more than a third of that time.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and c.line_is_slow,
        mechanism=LINE,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.bad_path",
        state=State.INSUFFICIENT,
        why="The handshake timed out, but bare connections are so slow that the line itself is bad.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and not c.path_is_healthy and not c.innocuous_name_works,
        mechanism=LINE,
        figures=endpoint_failure,
    ),
    timeout_on_lossy_line(Layer.TLS, of_handshake, endpoint_failure),
    # The control says: the site is well. A reset has a sender; silence may be this line's (analysis.series.line).
    Rule(
        id="tls.failure_control_ok",
        state=State.BLOCKED,
        why="The connection was cut during the handshake, while the control completed it.",
        holds=lambda _o, c: c.reachable is True,
        mechanism=of_handshake,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.few_endpoints",
        state=State.OK,
        why="Enough of the target's endpoints respond; a few failures are normal.",
        holds=lambda _o, c: c.few_endpoints_fail,
        figures=group_failures,
    ),
    Rule(
        id="tls.innocuous_name_works",
        state=State.BLOCKED,
        why="The connection was cut during the handshake, while a handshake with another name at the same "
        "address was completed.",
        holds=lambda _o, c: c.cause in CUT_CAUSES and c.innocuous_name_works,
        mechanism=of_handshake,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.port_not_asked",
        state=State.INSUFFICIENT,
        why="No page of this site needs TLS, and nothing shows that the site presents a valid certificate to "
        "anyone.",
        holds=lambda o, c: c.bad_certificate and not c.evidence.was_asked(o),
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.group_fails_elsewhere",
        state=State.INSUFFICIENT,
        why="Most of the target's endpoints fail, but at another layer.",
        holds=lambda _o, c: c.group.layer is not Layer.TLS,
        figures=group_failures,
    ),
    Rule(
        id="tls.nothing_else_works",
        state=State.INSUFFICIENT,
        why="The handshake timed out, and so did the helper and lookups over TLS and HTTPS, so the line "
        "itself was at fault.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and c.nothing_else_works,
        mechanism=LINE,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.no_control",
        state=State.INSUFFICIENT,
        why="The handshake failed, but nothing shows whether it succeeds elsewhere.",
        holds=lambda _o, _c: True,
        mechanism=lambda o, c: of_handshake(o, c, c.group.cause),
        figures=endpoint_failure,
        symptom=True,
    ),
)
