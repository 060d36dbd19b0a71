"""Answers: one lookup of the probe, with the evidence for and against its answer."""

from fanous.analysis.rules.addresses import FILTERS, is_bogon, is_ipv6, is_local, is_own_machine
from fanous.analysis.rules.evidence import Controls, MeasurementEvidence
from fanous.analysis.rules.failures import CUT_CAUSES, LOOKUP_CAUSES, Cause, cause_of
from fanous.analysis.rules.fingerprints import FingerprintKind
from fanous.analysis.rules.groups import LEAST_SHARE
from fanous.analysis.rules.pages import Likeness, is_challenge, likeness
from fanous.model.measurement import Layer, Observation
from fanous.model.noun import noun

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
    def _right(self) -> tuple[frozenset[str], frozenset[int]]:
        """Addresses and networks that the helper found for the name; empty = unknown."""
        return self.evidence.helper_answers.get(self.lookup.hostname, (frozenset(), frozenset()))

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
        """Is the helper's answer known?  Asked after ``is_right``, it then shares neither address nor network with
        this one."""
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

        Another site's certificate shows that the site is not there; a handshake that never completes shows it
        only if the probe saw a valid certificate at another answer.  Networks must be known, since a near
        address of the site may serve its neighbours only.
        """
        answers, evidence = self.lookup.answers, self.evidence
        right, networks = self._right
        if not networks or not any(
            s.failure is None and s.ip in right for s in evidence.helper.get(Layer.TLS, ())
        ):
            return False
        is_away = evidence.helper_was_turned_away if self.is_proven_elsewhere else evidence.helper_met_another
        return bool(answers) and all(map(is_away, answers))

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
    def came_on_another_attempt(self) -> bool:
        """Did the same resolver answer the same question when it was asked again?"""
        return any(other.answers for other in self._attempts)

    @property
    def is_withheld_for_this_name(self) -> bool:
        """Did the resolver fail repeatedly for this name while it answered for another?  Then it is not in trouble."""
        o = self.lookup
        answers_others = any(
            other.resolver == o.resolver and other.hostname != o.hostname and other.answers
            for other in self.evidence.of(Layer.DNS)
        )
        return answers_others and len(self._attempts) > 1

    @property
    def _attempts(self) -> list[Observation]:
        """This lookup and its repetitions by the same resolver."""
        o = self.lookup
        asked = (o.hostname, o.resolver, o.query_type)
        return [s for s in self.evidence.of(Layer.DNS) if (s.hostname, s.resolver, s.query_type) == asked]

    @property
    def has_answered_sibling(self) -> bool:
        """Was another lookup of this name answered?  For AAAA: by the same resolver."""
        o = self.lookup
        return any(
            other.answers for other in self._others if o.query_type != "AAAA" or other.resolver == o.resolver
        )
