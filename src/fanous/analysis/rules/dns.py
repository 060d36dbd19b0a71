"""Rules for lookups that failed, and for encrypted resolvers; those for lookups that were answered are in ``answers``.

A lookup through an encrypted resolver says nothing about the site if that resolver cannot be used; a probe's check of
its own line judges the resolvers.
"""

from fanous.analysis.rules.addresses import is_bogon
from fanous.analysis.rules.answers import ANSWERED, PUBLIC, lookup_of
from fanous.analysis.rules.connection import timeout_on_lossy_line
from fanous.analysis.rules.evidence import RESOLVER, Controls
from fanous.analysis.rules.failures import ANSWERING, CERTIFICATE_CAUSES, Cause
from fanous.analysis.rules.rule import Rule
from fanous.model.measurement import ENCRYPTED, Layer, Observation
from fanous.model.verdict import LINE, SERVER_DOWN, State

LOOKUP_MECHANISMS = {
    Cause.NXDOMAIN: "dns.nxdomain",
    Cause.DNS_REFUSED: "dns.refused",
    Cause.TIMEOUT: "dns.timeout",
}

# --- encrypted resolvers --------------------------------------------------------------------------------

CUT = frozenset({Cause.TIMEOUT, Cause.RESET, Cause.REFUSED, Cause.CLOSED, Cause.UNREACHABLE})
"""How a connection to a resolver ends if it is cut; a wrong answer comes from the resolver itself."""


ENCRYPTED_MECHANISMS = {"doh": "encdns.doh", "dot": "encdns.dot"}


def _all_are_cut(o: Observation, c: Controls) -> bool:
    """Can no encrypted resolver of any operator be used?  Then neither they nor the line are down."""
    others = [s for s in c.evidence.of(Layer.DNS) if s.role == RESOLVER and s.hostname != o.hostname]
    return c.cause in CUT and bool(others) and all(s.failure is not None for s in others)


def _of_resolver(o: Observation, _c: Controls) -> str:
    return ENCRYPTED_MECHANISMS.get(o.resolver, "encdns.doh")


def _is_denied(o: Observation, c: Controls) -> bool:
    """Does the provider's resolver deny the encrypted resolver's name, or lead it nowhere?

    OONI's engine looks it up on its way there; our own probes have its address.  The names of these services do not
    vanish.
    """
    if c.evidence.is_look:
        return False
    if o.failure is None:
        return bool(o.answers) and all(map(is_bogon, o.answers))
    return c.cause in DENIALS


def _figures(o: Observation, _c: Controls) -> str:
    return f"{o.hostname or o.resolver}: {o.failure}"


DENIALS = frozenset({Cause.NXDOMAIN, Cause.DNS_REFUSED, Cause.NO_ANSWER})

RESOLVER_RULES = (
    Rule(
        id="dns.encrypted_denied",
        state=State.INSUFFICIENT,
        why="The name of an encrypted resolver was denied or led nowhere, while other names were found: the provider "
        "does this, or a filter that the user or an office has chosen.",
        holds=lambda o, c: _is_denied(o, c) and c.plain_lookups_work,
        mechanism=_of_resolver,
        figures=_figures,
        symptom=True,
    ),
    Rule(
        id="dns.encrypted_found",
        state=State.INSUFFICIENT,
        why="The name of the encrypted resolver was found, which does not show that it answers.",
        holds=lambda o, _c: o.failure is None and o.resolver not in ENCRYPTED,
    ),
    Rule(
        id="dns.encrypted_ok",
        state=State.OK,
        why="The encrypted resolver answered.",
        holds=lambda o, _c: o.failure is None,
    ),
    Rule(
        id="dns.encrypted_cut",
        state=State.BLOCKED,
        why="Encrypted resolvers of two operators failed, while a public resolver answered over plain UDP and "
        "pages loaded over TLS.",
        holds=lambda o, c: c.evidence.is_look and c.plain_lookups_work and _all_are_cut(o, c),
        mechanism=_of_resolver,
        figures=_figures,
    ),
    Rule(
        id="dns.encrypted_cut_off",
        state=State.INSUFFICIENT,
        why="The connection to the encrypted resolver was cut, while other names were found, but nothing shows "
        "whether the resolver answers elsewhere.",
        holds=lambda o, c: (
            bool(o.hostname)
            and not c.evidence.is_look
            and c.plain_lookups_work
            and c.cause in ANSWERING | {Cause.UNREACHABLE} | CERTIFICATE_CAUSES
        ),
        mechanism=_of_resolver,
        figures=_figures,
        symptom=True,
        may_be_site=lambda _o, _c: True,
    ),
    Rule(
        id="dns.encrypted_fails",
        state=State.INSUFFICIENT,
        why="The encrypted resolver did not answer, and nothing shows whether it answers elsewhere.",
        holds=lambda _o, _c: True,
        figures=_figures,
    ),
)


# --- lookups that failed --------------------------------------------------------------------------------


def _failure(o: Observation, c: Controls) -> str:
    path = "; also through a public resolver" if lookup_of(c).came_through_public_resolver else ""
    return f"{o.hostname} by {o.resolver or 'unknown'}: {o.failure}{path}"


def _denied_by_one_resolver(o: Observation, c: Controls) -> bool:
    """Does the probe's other resolver answer, and a certificate prove that answer right?"""
    elsewhere = any(name == o.hostname for name, _ in c.evidence.valid_addresses)
    return (
        c.cause is Cause.NXDOMAIN
        and o.resolver not in PUBLIC
        and lookup_of(c).has_answered_sibling
        and elsewhere
    )


def _unanswered(c: Controls) -> bool:
    """Was there no answer, as after a lost packet or from a faulty resolver?"""
    return c.cause in (Cause.TIMEOUT, Cause.SERVFAIL)


def _attempts(o: Observation, c: Controls) -> list[Observation]:
    """This lookup and its repetitions by the same resolver."""
    asked = (o.hostname, o.resolver, o.query_type)
    return [s for s in c.evidence.of(Layer.DNS) if (s.hostname, s.resolver, s.query_type) == asked]


def _answers_again(o: Observation, c: Controls) -> bool:
    """Did the same resolver answer the same question when it was asked again?"""
    return any(s.answers for s in _attempts(o, c))


def _is_withheld(o: Observation, c: Controls) -> bool:
    """Did the resolver fail repeatedly for this name while it answered for another?  Then it is not in trouble."""
    answers_others = any(
        s.resolver == o.resolver and s.hostname != o.hostname and s.answers for s in c.evidence.of(Layer.DNS)
    )
    return answers_others and len(_attempts(o, c)) > 1


def _of_lookup(_o: Observation, c: Controls) -> str:
    return LOOKUP_MECHANISMS.get(c.cause, "dns")


def _of_lookup_group(_o: Observation, c: Controls) -> str:
    return LOOKUP_MECHANISMS.get(c.group.cause or c.cause, "dns")


def _group(_o: Observation, c: Controls) -> str:
    return f"{c.group.failed} of {c.group.endpoints} names"


FAILED = (
    Rule(
        id="dns.own_fault",
        state=State.INSUFFICIENT,
        why="The probe could not perform the lookup because of a fault of its own.",
        holds=lambda _o, c: c.cause is Cause.LOCAL,
        figures=_failure,
    ),
    Rule(
        id="dns.no_ipv6_address",
        state=State.OK,
        why="Only the IPv6 address is missing; the same resolver gave an IPv4 address.",
        holds=lambda o, c: o.query_type not in ("", "A", "ANY") and lookup_of(c).has_answered_sibling,
    ),
    Rule(
        id="dns.no_answer_for_ipv6",
        state=State.INSUFFICIENT,
        why="The name has no IPv6 address, which is common.",
        holds=lambda o, c: o.query_type == "AAAA" and c.cause is Cause.NO_ANSWER,
    ),
    Rule(
        id="dns.down",
        state=State.DOWN,
        why="The name cannot be looked up from outside either.",
        holds=lambda _o, c: c.reachable is False,
        mechanism=SERVER_DOWN,
        figures=_failure,
    ),
    Rule(
        id="dns.denied_by_users_filter",
        state=State.INSUFFICIENT,
        why="A public resolver that people choose because it filters names denied this one, and no other did.",
        holds=lambda _o, c: lookup_of(c).is_refused_by_filter,
        figures=_failure,
    ),
    Rule(
        id="dns.public_resolver",
        state=State.INSUFFICIENT,
        why="A public resolver could not be reached, which says nothing about this name.",
        holds=lambda o, c: o.resolver in PUBLIC and c.cause is not Cause.NXDOMAIN,
        figures=_failure,
    ),
    Rule(
        id="dns.resolver_trouble",
        state=State.INSUFFICIENT,
        why="The resolver failed for reasons of its own, or for an unknown reason, and no other resolver "
        "shows the probe that the name can be looked up.",
        holds=lambda _o, c: (
            c.cause is Cause.UNKNOWN or (c.cause is Cause.SERVFAIL and not lookup_of(c).has_answered_sibling)
        ),
        mechanism=_of_lookup,
        figures=_failure,
        symptom=True,
    ),
    Rule(
        id="dns.lossy_line",
        state=State.INSUFFICIENT,
        why="The lookup timed out, and so did lookups over TLS and HTTPS, in which a censor on the path "
        "cannot read the name.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and c.encrypted_lookups_time_out,
        mechanism=LINE,
        figures=_failure,
    ),
    Rule(
        id="dns.other_attempt_works",
        state=State.OK,
        why="The resolver did not answer at first, but did when it was asked again.",
        holds=lambda o, c: _unanswered(c) and _answers_again(o, c),
        figures=_failure,
    ),
    Rule(
        id="dns.one_resolver_fails",
        state=State.INSUFFICIENT,
        why="This resolver did not answer, as when a packet is lost or the resolver has a fault, while "
        "another found the name.",
        holds=lambda o, c: _unanswered(c) and lookup_of(c).has_answered_sibling and not _is_withheld(o, c),
        mechanism=_of_lookup,
        figures=_failure,
        symptom=True,
    ),
    timeout_on_lossy_line(Layer.DNS, _of_lookup, _failure),
    # The control says: the name exists. A denial is the resolver's, or of someone who answers in its place; silence may
    # be this line's (analysis.series.line).
    Rule(
        id="dns.failure_control_ok",
        state=State.BLOCKED,
        why="The lookup failed while the control found the name.",
        holds=lambda _o, c: c.reachable is True,
        mechanism=_of_lookup,
        figures=_failure,
    ),
    Rule(
        id="dns.denied_by_one_resolver",
        state=State.BLOCKED,
        why="This resolver says that the name does not exist, while another gave the probe an address with a "
        "valid certificate for it.",
        holds=_denied_by_one_resolver,
        mechanism=_of_lookup,
        figures=_failure,
    ),
    Rule(
        id="dns.few_names",
        state=State.OK,
        why="Most of the target's names can be looked up, and a few failures are normal.",
        holds=lambda _o, c: not c.group.fails,
        figures=_group,
    ),
    Rule(
        id="dns.no_control",
        state=State.INSUFFICIENT,
        why="The lookup failed, but nothing shows whether it works elsewhere.",
        holds=lambda _o, _c: True,
        mechanism=_of_lookup_group,
        figures=_failure,
        symptom=True,
    ),
)


DNS_RULES = ANSWERED + FAILED
