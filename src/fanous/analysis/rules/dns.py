"""Rules for lookups: is the answer forged or simply another address of the site, and why did a lookup fail?

An answer is not wrong because it differs, since delivery networks answer by place. It is right if a certificate
there is valid for the name, and wrong only if something contradicts it.

A lookup through an encrypted resolver says nothing about the site if that resolver cannot be used; a probe's check of
its own line judges the resolvers.  Facebook's names, which its messenger looks up and no helper does, have rules of
their own.
"""

from collections.abc import Callable

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.addresses import is_foreign
from fanous.analysis.rules.answers import PUBLIC, Lookup
from fanous.analysis.rules.evidence import ENCRYPTED, RESOLVER, Controls
from fanous.analysis.rules.failures import Cause
from fanous.analysis.rules.fingerprints import FingerprintKind
from fanous.analysis.rules.pages import Likeness
from fanous.analysis.rules.rule import Condition, Rule
from fanous.model.measurement import Layer, Observation
from fanous.model.place import is_address
from fanous.model.verdict import State


def _lookup(c: Controls) -> Lookup:
    return Lookup(c.evidence, c.observation)


def _of_answer(holds: Callable[[Lookup], bool]) -> Condition:
    """It was answered, and this is true of the answer."""
    return lambda o, c: o.failure is None and holds(_lookup(c))


# --- encrypted resolvers --------------------------------------------------------------------------------

CUT = frozenset({Cause.TIMEOUT, Cause.RESET, Cause.REFUSED, Cause.CLOSED, Cause.UNREACHABLE})
"""How a connection to a resolver ends if it is cut; a wrong answer comes from the resolver itself."""


def _is_resolver(o: Observation) -> bool:
    return o.role == RESOLVER


def _all_are_cut(o: Observation, c: Controls) -> bool:
    """Can no encrypted resolver of any operator be used?  Then neither they nor the line are down."""
    others = [s for s in c.evidence.of(Layer.DNS) if s.role == RESOLVER and s.hostname != o.hostname]
    return c.cause in CUT and bool(others) and all(s.failure is not None for s in others)


def _figures(o: Observation, _c: Controls) -> str:
    return f"{o.hostname}: {o.failure}"


ENCRYPTED_RULES = (
    Rule(
        id="dns.encrypted_ok",
        state=State.OK,
        why="The encrypted resolver answered.",
        holds=lambda o, _c: _is_resolver(o) and o.failure is None,
    ),
    Rule(
        id="dns.encrypted_cut",
        state=State.BLOCKED,
        why="Encrypted resolvers of two operators failed, while a public resolver answered over plain UDP and "
        "pages loaded over TLS.",
        holds=lambda o, c: _is_resolver(o) and c.plain_lookups_work and _all_are_cut(o, c),
        mechanism=mechanisms.of_resolver,
        figures=_figures,
    ),
    Rule(
        id="dns.encrypted_fails",
        state=State.INSUFFICIENT,
        why="The encrypted resolver did not answer, and nothing shows whether it answers elsewhere.",
        holds=lambda o, _c: _is_resolver(o),
        figures=_figures,
    ),
)


# --- lookups that were answered -------------------------------------------------------------------------


def answered(o: Observation, _c: Controls) -> str:
    """The resolver and its answer."""
    return f"{o.hostname} by {o.resolver or 'unknown'}: {', '.join(o.answers[:4])}"


def forged(o: Observation, c: Controls) -> str:
    """The same, and where the answer was forged, if that is known."""
    public = _lookup(c).came_through_public_resolver
    path = "; also through a public resolver, so forged on the path" if public else ""
    return answered(o, c) + path


FACEBOOK = 32934

LEAST_NAMES = 2
"""Least number of Facebook names at one address outside its network that shows a filter answering for all of them."""


def _is_not_facebooks(a: Lookup) -> bool:
    asns = a.lookup.answer_asns
    is_asked = a.evidence.parsed.measurement.test_name == "facebook_messenger"
    return is_asked and any(asns) and FACEBOOK not in asns


def _is_one_for_many(a: Lookup) -> bool:
    """Are several of Facebook's names answered with it?  Its content network has servers at operators."""
    answers = set(a.lookup.answers)
    names = {s.hostname for s in a.evidence.of(Layer.DNS) if not answers.isdisjoint(s.answers)}
    return sum(not name.endswith(".fbcdn.net") for name in names) >= LEAST_NAMES


FACEBOOKS = (
    Rule(
        id="dns.not_facebook",
        state=State.BLOCKED,
        why="The answer for a Facebook name is an address outside Facebook's network, where nothing responds.",
        holds=_of_answer(lambda a: _is_not_facebooks(a) and a.is_unconnected),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.one_address_for_facebook",
        state=State.INSUFFICIENT,
        why="The answer for several Facebook names is a single address outside Facebook's network, and "
        "nothing shows whose it is.",
        holds=_of_answer(lambda a: _is_not_facebooks(a) and _is_one_for_many(a)),
        mechanism=mechanisms.FORGED,
        figures=answered,
        symptom=True,
    ),
)


def _is_on_the_way(a: Lookup) -> bool:
    """Did only a redirect lead to the name, with nothing to show that it leads anywhere for others?"""
    return a.lookup.role == "redirect" and not a.evidence.helper_loaded_page


def _is_of_another_platform(a: Lookup) -> bool:
    o = a.lookup
    return a.departs and any(is_foreign(asn, o.hostname, o.target) for asn in o.answer_asns)


def _failure_elsewhere(a: Lookup) -> str | None:
    """How the helper's lookup failed while this one gave an address; None = that is not so."""
    helper = a.controls.same_step
    return None if helper is None or not a.lookup.answers else helper.failure


def _is_ghost(a: Lookup) -> bool:
    return (
        _failure_elsewhere(a) in ("dns_nxdomain_error", "dns_name_error")
        and a.lookup.resolver not in ENCRYPTED
        and not a.leads_to(FingerprintKind.PORTAL)
    )


def _is_proven_ghost(a: Lookup) -> bool:
    """Can it not be an operator's own service? Many answer missing names with advertisements, but only from their
    own resolvers."""
    from_public = a.lookup.resolver in PUBLIC or a.came_through_public_resolver
    return from_public or a.leads_to(FingerprintKind.BLOCKPAGE)


ANSWERED = (
    Rule(
        id="dns.address",
        state=State.INSUFFICIENT,
        why="The target is an IP address, so there was nothing to look up.",
        holds=lambda o, _c: is_address(o.hostname),
    ),
    Rule(
        id="dns.consistent",
        state=State.OK,
        why="The answer is right: it has an address or a network in common with the control's, or a valid "
        "certificate for the name was found there.",
        holds=_of_answer(lambda a: bool(a.lookup.answers) and a.is_right),
    ),
    Rule(
        id="dns.no_address",
        state=State.INSUFFICIENT,
        why="The lookup worked, but the record contains no address.",
        holds=_of_answer(lambda a: not a.lookup.answers),
    ),
    Rule(
        id="dns.bogon_everywhere",
        state=State.DOWN,
        why="The site's own DNS record points to an address that cannot be reached from anywhere.",
        holds=_of_answer(lambda a: a.is_bogus_everywhere),
        mechanism=mechanisms.SERVER_DOWN,
        figures=answered,
    ),
    Rule(
        id="dns.same_title",
        state=State.OK,
        why="The answer differs from the control's, but the page found there has the site's title, so this "
        "network has its own route to the site.",
        holds=_of_answer(lambda a: a.departs and a.shows_own_title),
    ),
    Rule(
        id="dns.users_filter",
        state=State.INSUFFICIENT,
        why="A public resolver that people choose because it filters names refused this one, and no other did.",
        holds=_of_answer(lambda a: a.is_refused_by_filter),
        figures=answered,
        disowns=True,
    ),
    Rule(
        id="dns.portal",
        state=State.INSUFFICIENT,
        why="The answer is a local address, and it alone responds, as with a login page.",
        holds=_of_answer(lambda a: a.may_be_portal and a.is_connected),
        figures=answered,
        disowns=True,
    ),
    Rule(
        id="dns.bogon_without_control",
        state=State.INSUFFICIENT,
        why="The answer is an address that no public site can have, but nothing public could be reached "
        "either: it is forged, or leads to a login page.",
        holds=_of_answer(lambda a: a.may_be_portal),
        mechanism=mechanisms.BOGON,
        figures=answered,
        symptom=True,
        disowns=True,
    ),
    Rule(
        id="dns.own_machine_without_control",
        state=State.INSUFFICIENT,
        why="The name points to the user's own machine, and no control shows whether its owner intends that.",
        holds=_of_answer(
            lambda a: (
                bool(a.lookup.answers)
                and a.controls.helper_is_missing
                and a.is_of_this_machine
                and a.most_names_are_bogus
                and not a.has_block_address
            )
        ),
        mechanism=mechanisms.BOGON,
        figures=answered,
        symptom=True,
        disowns=True,
    ),
    Rule(
        id="dns.bogon",
        state=State.BLOCKED,
        why="The answer is an address that no public site can have.",
        holds=_of_answer(
            lambda a: a.has_bogon and (a.departs or (a.most_names_are_bogus and not _is_on_the_way(a)))
        ),
        mechanism=mechanisms.BOGON,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.bogon_by_one_resolver",
        state=State.BLOCKED,
        why="The answer is an address that no public site can have, while another resolver gave the probe an "
        "address with a valid certificate for the name.",
        holds=_of_answer(lambda a: a.has_bogon and a.is_proven_elsewhere),
        mechanism=mechanisms.BOGON,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.block_address",
        state=State.BLOCKED,
        why="The answer is an address known to serve block pages.",
        holds=_of_answer(lambda a: a.has_block_address),
        mechanism=mechanisms.BLOCK_ADDRESS,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.lone_bogon",
        state=State.INSUFFICIENT,
        why="The answer for one of the target's names is an address that no public site can have, which may "
        "be its owner's choice.",
        holds=_of_answer(lambda a: a.has_bogon),
        figures=answered,
        disowns=True,
    ),
    Rule(
        id="dns.ghost",
        state=State.BLOCKED,
        why="The name no longer exists elsewhere but is still answered here, by a block that has outlived its "
        "site.",
        holds=_of_answer(lambda a: _is_ghost(a) and _is_proven_ghost(a)),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.ghost_without_proof",
        state=State.INSUFFICIENT,
        why="The name does not exist elsewhere but is answered here: a block has outlived its site, or the "
        "operator answers for all missing names.",
        holds=_of_answer(lambda a: _is_ghost(a) and not a.is_denied_by_public_resolver),
        mechanism=mechanisms.FORGED,
        figures=answered,
        symptom=True,
    ),
    Rule(
        id="dns.foreign_platform",
        state=State.BLOCKED,
        why="The answer is an address of another platform, as injectors give for blocked names.",
        holds=_of_answer(_is_of_another_platform),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.wrong_certificate",
        state=State.BLOCKED,
        why="The answer has no address or network in common with the control's, and the certificate found "
        "there is not the site's.",
        holds=_of_answer(
            lambda a: (
                a.departs
                and a.has_bad_certificate
                and a.evidence.helper_saw_certificate(a.lookup.hostname)
                and not a.controls.others_distrusted
                and not a.may_be_sibling
            )
        ),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.same_page",
        state=State.OK,
        why="The answer differs from the control's, but the page found there is the site's.",
        holds=_of_answer(lambda a: a.departs and a.shows(Likeness.SAME)),
    ),
    Rule(
        id="dns.other_page",
        state=State.BLOCKED,
        why="The answer has no address or network in common with the control's, and the page found there is "
        "not the site's.",
        holds=_of_answer(lambda a: a.departs and a.shows(Likeness.DIFFERENT)),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.not_there_outside",
        state=State.BLOCKED,
        why="The answer has no address or network in common with the control's, and the control did not find "
        "the site there either, but at its own address.",
        holds=_of_answer(lambda a: a.departs and a.turns_helper_away),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.sibling_certificate",
        state=State.INSUFFICIENT,
        why="The certificate found at this address is for other names: the answer is forged, or belongs to "
        "the site's delivery network, which cannot be checked because the control's networks are not "
        "known.",
        holds=_of_answer(
            lambda a: (
                a.departs
                and a.has_bad_certificate
                and a.evidence.helper_saw_certificate(a.lookup.hostname)
                and not a.controls.others_distrusted
            )
        ),
        mechanism=mechanisms.FORGED,
        figures=answered,
        symptom=True,
        disowns=True,
    ),
    Rule(
        id="dns.contradicted",
        state=State.BLOCKED,
        why="Another resolver gave this probe the control's answer, but this one gave an address in another "
        "network, where nothing responds.",
        holds=_of_answer(lambda a: a.departs and a.is_unconnected and a.is_contradicted),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    *FACEBOOKS,
    Rule(
        id="dns.departs_and_dead",
        state=State.INSUFFICIENT,
        why="The answer has no address or network in common with the control's, and nothing responds there: "
        "it is forged, or a nearby server is cut off.",
        holds=_of_answer(lambda a: a.departs and (a.is_unconnected or (a.is_unserved and a.is_contradicted))),
        mechanism=mechanisms.FORGED,
        figures=answered,
        symptom=True,
    ),
    Rule(
        id="dns.departs",
        state=State.INSUFFICIENT,
        why="The answer has no address or network in common with the control's, and nothing shows whether it "
        "is right.",
        holds=_of_answer(lambda a: a.departs or _failure_elsewhere(a) is not None),
        figures=answered,
    ),
    Rule(
        id="dns.wrong_certificate_by_one_resolver",
        state=State.BLOCKED,
        why="The certificate found at this address is not the site's, while another resolver gave the probe "
        "an address with a valid certificate for the name.",
        holds=_of_answer(
            lambda a: a.has_bad_certificate and a.is_proven_elsewhere and not a.controls.others_distrusted
        ),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.bad_certificate_without_control",
        state=State.INSUFFICIENT,
        why="The certificate found at this address is not valid for the name, and no control shows whether it "
        "is valid elsewhere.",
        holds=_of_answer(lambda a: a.has_bad_certificate),
        figures=answered,
    ),
    Rule(
        id="dns.answered",
        state=State.OK,
        why="The answer gives public addresses, and no control contradicts them.",
        holds=lambda o, _c: o.failure is None,
    ),
)


# --- lookups that failed --------------------------------------------------------------------------------


def _failure(o: Observation, c: Controls) -> str:
    path = "; also through a public resolver" if _lookup(c).came_through_public_resolver else ""
    return f"{o.hostname} by {o.resolver or 'unknown'}: {o.failure}{path}"


def _denied_by_one_resolver(o: Observation, c: Controls) -> bool:
    """Does the probe's other resolver answer, and a certificate prove that answer right?"""
    elsewhere = any(name == o.hostname for name, _ in c.evidence.valid_addresses)
    return (
        c.cause is Cause.NXDOMAIN
        and o.resolver not in PUBLIC
        and _lookup(c).has_answered_sibling
        and elsewhere
    )


def _unanswered(c: Controls) -> bool:
    """Was there no answer, as after a lost packet or from a faulty resolver?"""
    return c.cause in (Cause.TIMEOUT, Cause.SERVFAIL)


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
        holds=lambda o, c: o.query_type not in ("", "A", "ANY") and _lookup(c).has_answered_sibling,
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
        mechanism=mechanisms.SERVER_DOWN,
        figures=_failure,
    ),
    Rule(
        id="dns.denied_by_users_filter",
        state=State.INSUFFICIENT,
        why="A public resolver that people choose because it filters names denied this one, and no other did.",
        holds=lambda _o, c: _lookup(c).is_refused_by_filter,
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
            c.cause is Cause.UNKNOWN or (c.cause is Cause.SERVFAIL and not _lookup(c).has_answered_sibling)
        ),
        mechanism=mechanisms.of_lookup,
        figures=_failure,
        symptom=True,
    ),
    Rule(
        id="dns.lossy_line",
        state=State.INSUFFICIENT,
        why="The lookup timed out, and so did lookups over TLS and HTTPS, in which a censor on the path "
        "cannot read the name.",
        holds=lambda _o, c: c.cause is Cause.TIMEOUT and c.encrypted_lookups_time_out,
        figures=_failure,
    ),
    Rule(
        id="dns.other_attempt_works",
        state=State.OK,
        why="The resolver did not answer at first, but did when it was asked again.",
        holds=lambda _o, c: _unanswered(c) and _lookup(c).came_on_another_attempt,
        figures=_failure,
    ),
    Rule(
        id="dns.one_resolver_fails",
        state=State.INSUFFICIENT,
        why="This resolver did not answer, as when a packet is lost or the resolver has a fault, while "
        "another found the name.",
        holds=lambda _o, c: (
            _unanswered(c) and _lookup(c).has_answered_sibling and not _lookup(c).is_withheld_for_this_name
        ),
        mechanism=mechanisms.of_lookup,
        figures=_failure,
        symptom=True,
    ),
    Rule(
        id="dns.failure_control_ok",
        state=State.BLOCKED,
        why="The lookup failed while the control found the name.",
        holds=lambda _o, c: c.reachable is True,
        mechanism=mechanisms.of_lookup,
        figures=_failure,
    ),
    Rule(
        id="dns.denied_by_one_resolver",
        state=State.BLOCKED,
        why="This resolver says that the name does not exist, while another gave the probe an address with a "
        "valid certificate for it.",
        holds=_denied_by_one_resolver,
        mechanism=mechanisms.of_lookup,
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
        mechanism=mechanisms.of_lookup_group,
        figures=_failure,
        symptom=True,
    ),
)


DNS_RULES = ENCRYPTED_RULES + ANSWERED + FAILED
