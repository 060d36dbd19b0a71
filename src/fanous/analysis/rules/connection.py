"""Rules for connections: TCP, and the handshakes of TLS and QUIC.

Is the address blocked, or down for everyone?  Was the handshake cut by name, intercepted or slowed down, or is the site
at fault?

Invalid certificates have one table, used in every layer that can see one (pages included): is it
interception, a proxy near the user, a wrong clock or the site itself?  Its ids begin with the layer.

Many networks drop UDP altogether, so QUIC is judged only if another name works.
"""

from math import isnan

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.evidence import ENCRYPTED, Controls
from fanous.analysis.rules.failures import CUT_CAUSES, Cause
from fanous.analysis.rules.rule import Rule
from fanous.model.measurement import Layer, Observation
from fanous.model.place import endpoint, shown_name
from fanous.model.verdict import State

# --- TCP ------------------------------------------------------------------------------------------------


def endpoint_failure(o: Observation, _c: Controls) -> str:
    where = endpoint(o.ip, o.port) if o.ip else "an unknown address"
    return f"{shown_name(o.hostname) or o.target} at {where}: {o.failure}"


def group_failures(_o: Observation, c: Controls) -> str:
    return f"{c.group.failed} of {c.group.endpoints} endpoints"


TCP_RULES = (
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
        mechanism=mechanisms.SERVER_DOWN,
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
    Rule(
        id="tcp.failure_control_ok",
        state=State.BLOCKED,
        why="The connection failed, while the control's succeeded.",
        holds=lambda _o, c: c.reachable is True,
        mechanism=mechanisms.of_connection,
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
        figures=endpoint_failure,
    ),
    Rule(
        id="tcp.no_control",
        state=State.INSUFFICIENT,
        why="The target's endpoints cannot be reached, but nothing shows whether they can be reached "
        "elsewhere.",
        holds=lambda _o, _c: True,
        mechanism=mechanisms.of_connection_group,
        figures=group_failures,
        symptom=True,
    ),
)

# --- invalid certificates -------------------------------------------------------------------------------

PUBLIC_AUTHORITIES = (
    "amazon",
    "certum",
    "comodo",
    "digicert",
    "entrust",
    "geotrust",
    "globalsign",
    "go daddy",
    "google trust",
    "gts ca",
    "isrg root",
    "let's encrypt",
    "rapidssl",
    "sectigo",
    "ssl.com",
    "starfield",
    "thawte",
    "usertrust",
    "wr1",
    "zerossl",
)
"""Words in the names of authorities that browsers trust (CA/Browser Forum members, CCADB)."""

PINNED = ("signal",)
"""Nettests that ship their service's own authority: a probe older than the service's last change of it distrusts the
real service."""


_HOME_PROXIES = (
    "adguard",
    "avast",
    "avg web",
    "bitdefender",
    "dr.web",
    "eset ssl filter",
    "kaspersky",
    "spider gate",
)
"""Words in the names of authorities that programs against viruses and advertisements install on a user's machine to
look into its connections, as their makers document."""


def _is_public(issuer: str) -> bool:
    return any(word in issuer.casefold() for word in PUBLIC_AUTHORITIES)


def _is_of_home_proxy(o: Observation) -> bool:
    return any(word in o.cert_issuer.casefold() for word in _HOME_PROXIES)


def _may_be_clock(o: Observation, c: Controls) -> bool:
    """May an out-of-date certificate be due to the machine's clock?  An interceptor's own may be out of date too.

    It is an interceptor's if the helper meets a valid one at the same address and other names' certificates are in date
    by the same clock.
    """
    same = c.same_step
    met_valid = same is not None and same.failure is None and same.layer is o.layer is not Layer.HTTP
    is_anothers = bool(o.cert_issuer) and not _is_public(o.cert_issuer)
    in_date = c.another_name_works or any(
        s.failure is None and s.resolver in ENCRYPTED for s in c.evidence.of(Layer.DNS)
    )
    return not (met_valid and is_anothers and in_date)


def _from_public_authority(o: Observation) -> bool:
    """Did an authority that browsers trust issue it for this name?  Then the probe's list of them is too old."""
    names = o.cert_subject.casefold().split()
    host = o.hostname.casefold()
    parent = "*." + host.partition(".")[2]
    return _is_public(o.cert_issuer) and (host in names or parent in names)


def certificate_rules(layer: Layer) -> tuple[Rule, ...]:
    """The table for one layer; it decides every invalid certificate except those without a control."""
    return (
        Rule(
            id=f"{layer.value}.own_certificate",
            state=State.DOWN,
            why="The site's own certificate is not valid, since it fails from outside too.",
            holds=lambda _o, c: c.bad_certificate and c.helper_certificate_fails,
            mechanism=mechanisms.SERVER_DOWN,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.local_proxy",
            state=State.INSUFFICIENT,
            why="A control domain's certificate also came from an unknown authority, or this one came from "
            "security software on the user's machine: there is a local proxy, or the list of authorities is "
            "old.",
            holds=lambda o, c: c.cause is Cause.AUTHORITY and (c.others_distrusted or _is_of_home_proxy(o)),
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
        Rule(
            id=f"{layer.value}.intercepted",
            state=State.BLOCKED,
            why="The certificate is not the site's, while the control received a valid one, so the connection was "
            "intercepted.",
            holds=lambda _o, c: c.bad_certificate and c.reachable is True,
            mechanism=mechanisms.of_certificate,
            figures=endpoint_failure,
        ),
    )


# --- TLS ------------------------------------------------------------------------------------------------

SLOWEST = 1.0
"""Seconds; a faster handshake may be slow through a single lost packet."""
SLOW_RATIO = 5.0
"""Ratio to the control handshake.  Turkiye slowed handshakes from 70 ms to over 3 s while others stayed normal."""


def _is_slow(o: Observation, c: Controls) -> bool:
    """Is it slow next to other names, and not only for the distance, which a bare connection has to travel too?"""
    # A fast one shows that the name is not slowed down.  Comparisons with NaN (no control) are false.
    fastest = c.evidence.fastest_handshake(o)
    is_far = o.seconds <= SLOW_RATIO * c.evidence.own_connect(o)
    return fastest > SLOWEST and fastest > SLOW_RATIO * c.control_handshake and not is_far


def _may_be_slow(o: Observation, c: Controls) -> bool:
    """Is it slow next to its own connection only?  No other name was tried, and a busy server looks like this too."""
    return (
        isnan(c.control_handshake)
        and c.evidence.fastest_handshake(o) > SLOWEST
        and o.seconds > SLOW_RATIO * c.evidence.own_connect(o)
    )


def _is_controlled(c: Controls) -> bool:
    """Did others get through here: the helper, or another name at the same address?"""
    return c.reachable is True or (c.group.fails and c.innocuous_name_works)


def _slow_figures(o: Observation, c: Controls) -> str:
    return f"{o.hostname}: {o.seconds:.2f} s, others {c.control_handshake:.2f} s"


def _beside_connection(o: Observation, c: Controls) -> str:
    return f"{o.hostname}: {o.seconds:.2f} s, its connection {c.evidence.own_connect(o):.2f} s"


TLS_RULES = (
    Rule(
        id="tls.slow_handshake",
        state=State.THROTTLED,
        why="The handshake took more than five times as long as with other names in the same measurement.",
        holds=lambda o, c: o.failure is None and o.seconds > SLOWEST and _is_slow(o, c),
        mechanism="tls.throttle.sni",
        figures=_slow_figures,
    ),
    Rule(
        id="tls.slow_without_control",
        state=State.INSUFFICIENT,
        why="The handshake took more than five times as long as the connection, but no other name was tried: "
        "it was slowed down, or the server was busy.",
        holds=lambda o, c: o.failure is None and o.seconds > SLOWEST and _may_be_slow(o, c),
        mechanism="tls.throttle.sni",
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
        mechanism=mechanisms.SERVER_DOWN,
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
        mechanism=mechanisms.of_handshake,
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
    Rule(
        id="tls.browser_hello_passes",
        state=State.BLOCKED,
        why="The connection was cut during the handshake, while a browser's first message with the same name "
        "was answered at the same address. The form of the message is what is blocked, so browsers may "
        "get through.",
        holds=lambda _o, c: c.cause in CUT_CAUSES and c.browser_gets_through and _is_controlled(c),
        mechanism=mechanisms.of_handshake,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.slow_line",
        state=State.INSUFFICIENT,
        why="The handshake timed out, but a bare connection alone took more than a third of that time.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and c.line_is_slow,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.bad_path",
        state=State.INSUFFICIENT,
        why="The handshake timed out, but bare connections are so slow that the line itself is bad.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and not c.path_is_healthy and not c.innocuous_name_works,
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.failure_control_ok",
        state=State.BLOCKED,
        why="The connection was cut during the handshake, while the control completed it.",
        holds=lambda _o, c: c.reachable is True,
        mechanism=mechanisms.of_handshake,
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
        mechanism=mechanisms.of_handshake,
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
        figures=endpoint_failure,
    ),
    Rule(
        id="tls.no_control",
        state=State.INSUFFICIENT,
        why="The handshake failed, but nothing shows whether it succeeds elsewhere.",
        holds=lambda _o, _c: True,
        mechanism=mechanisms.of_handshake_group,
        figures=endpoint_failure,
        symptom=True,
    ),
)


# --- QUIC -----------------------------------------------------------------------------------------------

QUIC_RULES = (
    Rule(
        id="quic.ok",
        state=State.OK,
        why="The handshake was completed.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="quic.own_fault",
        state=State.INSUFFICIENT,
        why="The probe could not perform the handshake because of a fault of its own.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.no_ipv6",
        state=State.INSUFFICIENT,
        why="The probe has no working IPv6.",
        holds=lambda _o, c: c.no_ipv6,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.after_wrong_answer",
        state=State.INSUFFICIENT,
        why="The address came from a wrong DNS answer; see the DNS layer.",
        holds=lambda _o, c: c.to_wrong_address,
        figures=endpoint_failure,
    ),
    *certificate_rules(Layer.QUIC),
    Rule(
        id="quic.other_attempt_works",
        state=State.OK,
        why="One attempt failed, but another address or attempt worked.",
        holds=lambda _o, c: c.works_elsewhere,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.not_offered",
        state=State.INSUFFICIENT,
        why="The site does not respond over QUIC from outside either, or the two sides have no version in "
        "common.",
        holds=lambda _o, c: (
            (c.same_step is not None and c.reachable is not True) or c.cause in (Cause.ALERT, Cause.UNKNOWN)
        ),
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.failure_control_ok",
        state=State.BLOCKED,
        why="The handshake failed, while the control completed it and QUIC works here with another name.",
        holds=lambda _o, c: c.same_step is not None and c.reachable is True and c.another_name_works,
        mechanism=mechanisms.of_quic,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.innocuous_name_works",
        state=State.BLOCKED,
        why="The handshake failed, while one with another name at the same address was completed.",
        holds=lambda _o, c: c.cause in CUT_CAUSES and c.innocuous_name_works,
        mechanism=mechanisms.of_quic,
        figures=endpoint_failure,
    ),
    Rule(
        id="quic.no_control",
        state=State.INSUFFICIENT,
        why="The handshake failed, but this network may drop QUIC altogether.",
        holds=lambda _o, _c: True,
        mechanism=mechanisms.of_quic,
        figures=endpoint_failure,
        symptom=True,
    ),
)
