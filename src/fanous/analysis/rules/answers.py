"""Rules for lookups that were answered: is the answer forged, or simply another address of the site?

An answer is not wrong because it differs, since delivery networks answer by place. It is right if a certificate
there is valid for the name, and wrong only if something contradicts it.  Facebook's names, which its messenger looks
up and no helper does, have rules of their own.
"""

from collections.abc import Callable, Set

from fanous.analysis.rules.addresses import FILTERS, is_bogon, is_foreign, is_ipv6, is_local, is_own_machine
from fanous.analysis.rules.evidence import Controls, MeasurementEvidence
from fanous.analysis.rules.failures import (
    CERTIFICATE_CAUSES,
    CUT_CAUSES,
    LEAST_SHARE,
    LOOKUP_CAUSES,
    Cause,
    cause_of,
)
from fanous.analysis.rules.fingerprints import FingerprintKind
from fanous.analysis.rules.pages import Likeness, is_challenge, likeness
from fanous.analysis.rules.rule import Condition, Rule
from fanous.model.measurement import ENCRYPTED, PORTS, Layer, Observation, is_address, noun
from fanous.model.threshold import threshold
from fanous.model.verdict import BLOCK_ADDRESS, BOGON, FORGED, SERVER_DOWN, State

PUBLIC = ("udp", "doh", "dot")
"""Resolvers outside the operator's network, by protocol."""


@noun
class Lookup:
    """A lookup among the other observations of its measurement."""

    evidence: MeasurementEvidence
    lookup: Observation

    @property
    def controls(self) -> Controls:
        return Controls(self.evidence, self.lookup)

    @property
    def _right(self) -> tuple[Set[str], Set[int]]:
        """Addresses and networks that the helper found for the name; empty = unknown."""
        evidence, name = self.evidence, self.lookup.hostname
        return evidence.helper_answers.get(name, frozenset()), evidence.helper_networks.get(name, frozenset())

    @property
    def _others(self) -> list[Observation]:
        """The probe's other lookups of the name."""
        o = self.lookup
        return [s for s in self.evidence.of(Layer.DNS) if s.hostname == o.hostname and s is not o]

    @property
    def is_bogus_everywhere(self) -> bool:
        return any(map(is_bogon, self._right[0]))

    @property
    def is_right(self) -> bool:
        """Is the answer proven: by an address or network in common with the control's, or a valid certificate there?"""
        o, evidence = self.lookup, self.evidence
        addresses, networks = self._right
        if not addresses.isdisjoint(o.answers) or not networks.isdisjoint(o.answer_asns):
            return True
        valid = evidence.valid_addresses
        return any((o.hostname, address) in valid for address in o.answers) or (o.hostname, "") in valid

    @property
    def departs(self) -> bool:
        """Is the helper's answer known?  If so, and ``is_right`` is false, it shares neither address nor network with
        this one.
        """
        return bool(self._right[0])

    @property
    def has_bogon(self) -> bool:
        """Are all answers of one address family bogons?  Without a control: all answers of both."""
        answers = self.lookup.answers
        families = [[a for a in answers if is_ipv6(a) is six] for six in (False, True)]
        bogus = [all(map(is_bogon, family)) for family in families if family]
        return bool(bogus) and (any(bogus) if self.departs else all(bogus))

    @property
    def most_names_are_bogus(self) -> bool:
        """Do at least half of the target's names have only bogons?

        A single one may be its owner's choice, even where no other name is answered.
        """
        o = self.lookup
        tried: set[str] = set()
        names: dict[str, bool] = {}
        for lookup in self.evidence.of(Layer.DNS):
            if (lookup.target, lookup.role) != (o.target, o.role):
                continue
            tried.add(lookup.hostname)
            if lookup.answers:
                bogus = all(map(is_bogon, lookup.answers))
                names[lookup.hostname] = bogus and names.get(lookup.hostname, True)
        bogons = sum(names.values())
        return bogons >= LEAST_SHARE * len(names) > 0 and (bogons > 1 or len(tried) == 1)

    @property
    def may_be_portal(self) -> bool:
        """Is it a local address while nothing public, not even the helper, could be reached, as behind a login page?

        An address that is known for blocking in the country is not in doubt.
        """
        answers, evidence = self.lookup.answers, self.evidence
        if evidence.helper or not any(map(is_local, answers)):
            return False
        if evidence.parsed.control_failure is None and not self.is_connected:
            return False
        return not self.has_block_address and all(map(is_bogon, evidence.connected))

    @property
    def has_block_address(self) -> bool:
        return self.evidence.gives_block_address(self.lookup)

    @property
    def is_connected(self) -> bool:
        return not self.evidence.connected.isdisjoint(self.lookup.answers)

    def leads_to(self, kind: FingerprintKind) -> bool:
        """Is a page fetched by this name a notice, or the operator's own, such as a search page for missing names?"""
        return any(
            match.kind is kind
            for page in self.evidence.of(Layer.HTTP)
            if page.hostname == self.lookup.hostname
            for match in self.evidence.matches(page)
        )

    @property
    def has_bad_certificate(self) -> bool:
        o = self.lookup
        return any((o.hostname, address) in self.evidence.bad_certificates for address in o.answers)

    @property
    def is_of_known_network(self) -> bool:
        """Did the helper record the networks of its addresses?  This one is in none of them."""
        return bool(self._right[1])

    @property
    def may_be_sibling(self) -> bool:
        """Does it show a certificate for other names, as another address of the site's delivery network may?

        Where the networks of the helper's addresses were not recorded, it may be the same network.
        """
        o, evidence = self.lookup, self.evidence
        shown = {
            cause_of(s.failure)
            for s in evidence.probe
            if s.failure and s.hostname == o.hostname and s.ip in o.answers and s.layer is not Layer.DNS
        }
        unknown = not self.is_of_known_network and not self.is_proven_elsewhere
        return unknown and not shown & {Cause.AUTHORITY, Cause.CERTIFICATE}

    @property
    def turns_helper_away(self) -> bool:
        """Do the helper's handshakes fail at all of these addresses, and work at one that it was answered?

        Another site's certificate shows that the site is not there, whether or not networks are known; a handshake
        that never completes shows it only if the probe saw a valid certificate at another answer, since a nearby
        address of the site may serve only users near it.
        """
        answers, evidence = self.lookup.answers, self.evidence
        right, _ = self._right
        if not any(s.failure is None and s.ip in right for s in evidence.helper.get(Layer.TLS, ())):
            return False
        away = CERTIFICATE_CAUSES | ({Cause.ALERT} if self.is_proven_elsewhere else frozenset())
        return bool(answers) and all(self._helper_causes(address) <= away for address in answers)

    def _helper_causes(self, address: str) -> frozenset[Cause]:
        """How the helper's handshakes at an address failed; ``UNKNOWN`` if one worked or none was made."""
        tried = [o for o in self.evidence.helper.get(Layer.TLS, ()) if o.ip == address]
        failures = [cause_of(o.failure) if o.failure else Cause.UNKNOWN for o in tried]
        return frozenset(failures or [Cause.UNKNOWN])

    @property
    def certificate_is_seen_outside(self) -> bool:
        """Did the helper see a valid certificate, in a handshake or with a page that came over TLS?

        A site may have none: its page is unencrypted, and its host presents another site's certificate at port 443.
        """
        evidence = self.evidence
        over_tls = PORTS["https"]
        comes_over_tls = over_tls in evidence.page_ports.get(self.lookup.hostname, {over_tls})
        return (evidence.helper_loaded_page and comes_over_tls) or evidence.helper_works_at(Layer.TLS)

    @property
    def is_unconnected(self) -> bool:
        """Did the probe try to connect to the answers, and fail at all of them?"""
        evidence = self.evidence
        answers = [a for a in self.lookup.answers if evidence.ipv6_works or not is_ipv6(a)]
        tried = any(a in evidence.unconnected for a in answers)
        return tried and not any(a in evidence.connected for a in answers)

    @property
    def is_unserved(self) -> bool:
        """Was every handshake at these addresses cut or met with silence, and none refused for its certificate?"""
        tried = [
            cause_of(s.failure) if s.failure else Cause.UNKNOWN
            for s in self.evidence.of(Layer.TLS)
            if s.hostname == self.lookup.hostname and s.ip in self.lookup.answers
        ]
        return bool(tried) and all(cause in CUT_CAUSES for cause in tried)

    @property
    def shows_own_title(self) -> bool:
        """Does a page fetched from one of the answers have exactly the title of the helper's?"""
        helper = self.evidence.helper_page
        return (
            helper is not None
            and bool(helper.title)
            and any(
                self._came_from_here(page)
                and page.title == helper.title
                and likeness(page, helper) is Likeness.SAME
                and FingerprintKind.BLOCKPAGE not in {match.kind for match in self.evidence.matches(page)}
                for page in self.evidence.of(Layer.HTTP)
            )
        )

    def shows(self, wanted: Likeness) -> bool:
        """Is a page fetched from one of the answers as much like the helper's as ``wanted``?"""
        helper = self.evidence.helper_page
        return helper is not None and any(
            self._came_from_here(page)
            and likeness(page, helper) is wanted
            and (wanted is not Likeness.DIFFERENT or self._tells_apart(page))
            for page in self.evidence.of(Layer.HTTP)
        )

    def _tells_apart(self, page: Observation) -> bool:
        """Does it show that this is another server?  A site's own servers refuse and test visitors too."""
        kinds = {match.kind for match in self.evidence.matches(page)}
        if FingerprintKind.BLOCKPAGE in kinds:
            return True
        refuses = page.status_code // 100 in (4, 5) or is_challenge(page)
        return not (refuses or page.body_truncated or FingerprintKind.CAPTCHA in kinds)

    def _came_from_here(self, page: Observation) -> bool:
        """Was the page fetched from one of the answers?  Probes before 0.5 do not record it, but used only one
        resolver."""
        if page.ip:
            return page.ip in self.lookup.answers
        return page.hostname == self.lookup.hostname and all(
            other.resolver == self.lookup.resolver for other in self._others
        )

    @property
    def is_contradicted(self) -> bool:
        """Did another resolver that the probe asked give what the helper got, while this one did not?"""
        helper = self.evidence.helper_lookups.get(self.lookup.hostname)
        if helper is None:
            return False
        addresses, networks = self._right
        for other in self._others:
            if other.resolver == self.lookup.resolver:
                continue
            if helper.failure is not None and other.failure is not None:
                if cause_of(other.failure) is cause_of(helper.failure):
                    return True
            elif not addresses.isdisjoint(other.answers) or not networks.isdisjoint(other.answer_asns):
                return True
        return False

    @property
    def is_proven_elsewhere(self) -> bool:
        """Does a certificate validate for the name at an address that another lookup of it gave?"""
        o, valid = self.lookup, self.evidence.valid_addresses
        return any((o.hostname, address) in valid for other in self._others for address in other.answers)

    @property
    def came_through_public_resolver(self) -> bool:
        """Did a resolver outside give the same answer, or failure?  Then it was forged on the path."""
        o = self.lookup
        return any(
            not set(o.answers).isdisjoint(other.answers) if o.failure is None else other.failure == o.failure
            for other in self._others
            if other.resolver == "udp" and other.query_type != "AAAA"
        )

    @property
    def is_refused_by_filter(self) -> bool:
        """Did a resolver that people choose for it refuse the name, and none outside?  Then no network did."""
        o, own = self.lookup, self.evidence.parsed.measurement
        if o.resolver in PUBLIC or self.came_through_public_resolver or self.has_block_address:
            return False
        if o.answers and self.departs and not FILTERS.isdisjoint(o.answer_asns):
            return True  # its own page
        denies = o.failure is not None and cause_of(o.failure) in LOOKUP_CAUSES
        nowhere = o.failure is None and bool(o.answers) and all(map(is_own_machine, o.answers))
        return own.resolver_asn in FILTERS - {own.asn} and (denies or nowhere)

    @property
    def is_denied_by_public_resolver(self) -> bool:
        """Does a resolver outside deny the name? Then this resolver made its answer up."""
        return any(
            other.resolver in PUBLIC and other.failure and cause_of(other.failure) is Cause.NXDOMAIN
            for other in self._others
        )

    @property
    def is_of_this_machine(self) -> bool:
        """Do all lookups of the name lead to the user's own machine, as the owner of a parked name may want?"""
        return all(
            is_own_machine(address) for other in (self.lookup, *self._others) for address in other.answers
        )

    @property
    def has_answered_sibling(self) -> bool:
        """Was another lookup of this name answered?  For AAAA: by the same resolver."""
        o = self.lookup
        return any(
            other.answers for other in self._others if o.query_type != "AAAA" or other.resolver == o.resolver
        )


# --- the rules ------------------------------------------------------------------------------------------


def lookup_of(c: Controls) -> Lookup:
    return Lookup(c.evidence, c.observation)


def _of_answer(holds: Callable[[Lookup], bool]) -> Condition:
    """It was answered, and this is true of the answer."""
    return lambda o, c: o.failure is None and holds(lookup_of(c))


def answered(o: Observation, _c: Controls) -> str:
    """The resolver and its answer."""
    return f"{o.hostname} by {o.resolver or 'unknown'}: {', '.join(o.answers[:4])}"


def forged(o: Observation, c: Controls) -> str:
    """The same, and where the answer was forged, if that is known."""
    public = lookup_of(c).came_through_public_resolver
    path = "; also through a public resolver, so forged on the path" if public else ""
    return answered(o, c) + path


FACEBOOK = 32934

LEAST_NAMES = threshold(
    "rules.facebook_names",
    2,
    "Fewest names of Facebook at one address outside its network (those of its content network do not count): "
    "the server of a filter answers for all of them.",
)


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
        mechanism=FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.one_address_for_facebook",
        state=State.INSUFFICIENT,
        why="The answer for several Facebook names is a single address outside Facebook's network, and "
        "nothing shows whose it is.",
        holds=_of_answer(lambda a: _is_not_facebooks(a) and _is_one_for_many(a)),
        mechanism=FORGED,
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
    """How the helper's lookup failed while this one gave an address; None = it did not, or this one failed too."""
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
        mechanism=SERVER_DOWN,
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
        mechanism=BOGON,
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
        mechanism=BOGON,
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
        mechanism=BOGON,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.bogon_by_one_resolver",
        state=State.BLOCKED,
        why="The answer is an address that no public site can have, while another resolver gave the probe an "
        "address with a valid certificate for the name.",
        holds=_of_answer(lambda a: a.has_bogon and a.is_proven_elsewhere),
        mechanism=BOGON,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.block_address",
        state=State.BLOCKED,
        why="The answer is an address known to serve block pages.",
        holds=_of_answer(lambda a: a.has_block_address),
        mechanism=BLOCK_ADDRESS,
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
    # The control says: the name does not exist. It says nothing about the line, which cannot make up an address.
    Rule(
        id="dns.ghost",
        state=State.BLOCKED,
        why="The name no longer exists elsewhere but is still answered here, by a block that has outlived its "
        "site.",
        holds=_of_answer(lambda a: _is_ghost(a) and _is_proven_ghost(a)),
        mechanism=FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.ghost_without_proof",
        state=State.INSUFFICIENT,
        why="The name does not exist elsewhere but is answered here: a block has outlived its site, or the "
        "operator answers for all missing names.",
        holds=_of_answer(lambda a: _is_ghost(a) and not a.is_denied_by_public_resolver),
        mechanism=FORGED,
        figures=answered,
        symptom=True,
    ),
    Rule(
        id="dns.foreign_platform",
        state=State.BLOCKED,
        why="The answer is an address of another platform, as injectors give for blocked names.",
        holds=_of_answer(_is_of_another_platform),
        mechanism=FORGED,
        figures=forged,
        disowns=True,
    ),
    # The control says: the site has a valid certificate elsewhere. No line or resolver makes up another.
    Rule(
        id="dns.wrong_certificate",
        state=State.BLOCKED,
        why="The answer has no address or network in common with the control's, and the certificate found "
        "there is not the site's.",
        holds=_of_answer(
            lambda a: (
                a.departs
                and a.has_bad_certificate
                and a.certificate_is_seen_outside
                and not a.controls.others_distrusted
                and not a.may_be_sibling
            )
        ),
        mechanism=FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.same_page",
        state=State.OK,
        why="The answer differs from the control's, but the page found there is the site's.",
        holds=_of_answer(lambda a: a.departs and a.shows(Likeness.SAME)),
    ),
    # The control says: which page is the site's. What the resolver led to is another; a line can only shorten it.
    Rule(
        id="dns.other_page",
        state=State.BLOCKED,
        why="The answer has no address or network in common with the control's, and the page found there is "
        "not the site's.",
        holds=_of_answer(lambda a: a.departs and a.shows(Likeness.DIFFERENT)),
        mechanism=FORGED,
        figures=forged,
        disowns=True,
    ),
    # The control says: the site is not at this address. That is about the resolver's answer, whatever the line does.
    Rule(
        id="dns.not_there_outside",
        state=State.BLOCKED,
        why="The answer has no address or network in common with the control's, and the control did not find "
        "the site there either, but at its own address.",
        holds=_of_answer(lambda a: a.departs and a.turns_helper_away),
        mechanism=FORGED,
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
                and a.certificate_is_seen_outside
                and not a.controls.others_distrusted
            )
        ),
        mechanism=FORGED,
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
        mechanism=FORGED,
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
        mechanism=FORGED,
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
        mechanism=FORGED,
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
