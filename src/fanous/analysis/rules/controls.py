"""Controls: what the same step gave elsewhere or for another name, seen from one observation.

The helper's view: did it get through the same step as the probe?
"""

from dataclasses import dataclass
from math import isnan

from fanous.analysis.rules.addresses import is_bogon, is_ipv6
from fanous.analysis.rules.answers import Lookup
from fanous.analysis.rules.evidence import CONNECTIONS, Group, MeasurementEvidence, step_of
from fanous.analysis.rules.failures import CERTIFICATE_CAUSES, LOOKUP_CAUSES, Cause, cause_of
from fanous.analysis.rules.fingerprints import Fingerprint, FingerprintKind
from fanous.analysis.rules.pages import Likeness, likeness
from fanous.model.measurement import Layer, Observation


@dataclass(frozen=True, slots=True)
class HelperView:
    """The helper's word on one step.

    Attributes:
        cause: how the step failed; ``UNKNOWN`` where it worked.
        same: the helper's observation of the very same step; ``None`` = it made none.
    """

    evidence: MeasurementEvidence
    step: Observation
    cause: Cause
    same: Observation | None

    @property
    def reachable(self) -> bool | None:
        """Did the helper get through this step?  ``None`` = nothing tells.

        A redirect's host was reached if the helper loaded the page behind it.  An endpoint that the
        helper did not try (or could not reach, while it reached the site) is told by the page alone, where
        that came through this port.
        Helpers of the time before 2022 tried no handshakes: there the page has to fail in the same way.
        """
        same = self.same
        if same is not None and same.layer is Layer.DNS:
            return self._name_is_known(same)
        if same is not None and same.failure is None:
            return True
        if self.evidence.helper_loaded_page:
            told = same is None and self._page_tells and not self._address_is_down
            return True if told else None if self.step.layer in CONNECTIONS else False
        return False if same is not None or self._page_failed_alike else None

    def _name_is_known(self, lookup: Observation) -> bool | None:
        """Outside: by the helper's lookup, or where that gave no address by the page that came all the same.

        Old helpers wrote down an alias alone as no address.
        """
        if lookup.failure is None and lookup.answers:
            return not all(map(is_bogon, lookup.answers))
        if lookup.failure is not None and cause_of(lookup.failure) is Cause.NXDOMAIN:
            return False
        if self.evidence.helper_loaded_page:
            return True
        is_alike = lookup.failure is not None or self.cause is Cause.NO_ANSWER
        return False if is_alike or self.evidence.helper_page is not None else None

    @property
    def _page_tells(self) -> bool:
        """Does the page that the helper loaded speak for this step?  One in clear does not for port 443."""
        o = self.step
        return self.evidence.was_asked(o) or self.evidence.helper_works_at(o.layer, o.port)

    @property
    def _address_is_down(self) -> bool:
        """Of a handshake: the helper could not even connect there."""
        o = self.step
        connection = self.evidence.helper_endpoints.get((Layer.TCP, o.ip, o.port))
        return o.layer is Layer.TLS and connection is not None and connection.failure is not None

    @property
    def _page_failed_alike(self) -> bool:
        """The helper's request failed as this step did, or without a name, and it tried no such step.

        Of a request over TLS; or where a redirect led, since the helper got through to the site itself.
        """
        page, o = self.evidence.helper_page, self.step
        if page is None or page.failure is None:
            return False
        if o.role == "redirect":
            there = self.evidence.helper_endpoints.get((o.layer, o.ip, o.port))
            if there is not None and there.failure is None:
                return False
            causes = {self.cause, cause_of(page.failure)}
            is_alike = len(causes) == 1 or Cause.UNKNOWN in causes or causes <= LOOKUP_CAUSES
            return is_alike and self.evidence.helper_works_at(Layer.TCP)
        if o.layer not in (Layer.TCP, Layer.TLS) or o.layer in self.evidence.helper:
            return False
        if not page.url.startswith("https:"):
            return False
        return cause_of(page.failure) in (self.cause, Cause.UNKNOWN)


MOST_HEALTHY_CONNECT = 1.5
"""Seconds.  A path whose connections take longer loses packets or is congested (one lost SYN costs 1 s),
so slow data over it says nothing about the target."""


LEAST_SLOW_CONNECT = 0.5
"""Seconds; a line that connects faster is not slow, however early a handshake was given up."""

PATIENCE = 3.0
"""Times that a connection takes: a handshake that was given no longer may still be under way."""

ENCRYPTED = ("doh", "dot")
"""Resolvers that are asked under a name and a certificate of their own."""

RESOLVER = "resolver"
"""Role of an observation that is about an encrypted resolver, not about the name that it was asked for."""


@dataclass(slots=True)
class Controls:
    """The controls of one observation, each worked out when a rule asks for it."""

    evidence: MeasurementEvidence
    observation: Observation

    # --- how it failed ------------------------------------------------------------------------

    @property
    def cause(self) -> Cause:
        """Of a failed observation; ``UNKNOWN`` where it worked."""
        failure = self.observation.failure
        return Cause.UNKNOWN if failure is None else cause_of(failure)

    @property
    def bad_certificate(self) -> bool:
        return self.cause in CERTIFICATE_CAUSES

    # --- the outside helper -------------------------------------------------------------------

    @property
    def has_helper(self) -> bool:
        return bool(self.evidence.helper)

    @property
    def helper_is_missing(self) -> bool:
        """The nettest has a helper, but it did not answer (others never have one)."""
        parsed = self.evidence.parsed
        return not self.evidence.helper and (
            parsed.control_failure is not None or parsed.measurement.test_name == "web_connectivity"
        )

    @property
    def same_step(self) -> Observation | None:
        """The helper's observation of the very same step: same name, endpoint or page."""
        o, evidence = self.observation, self.evidence
        if o.role == "redirect":
            return None
        if o.layer is Layer.DNS:
            return evidence.helper_lookups.get(o.hostname)
        if o.layer is Layer.HTTP:
            return evidence.helper_page
        return evidence.helper_endpoints.get((o.layer, o.ip, o.port))

    @property
    def reachable(self) -> bool | None:
        """Did the helper get through this step?  ``None`` = nothing tells."""
        return HelperView(self.evidence, self.observation, self.cause, self.same_step).reachable

    @property
    def helper_certificate_fails(self) -> bool:
        """The helper met an invalid certificate too, and nowhere a valid one: it is the site's own.

        At a wrong address the helper is shown the wrong certificate as well.
        """
        evidence = self.evidence
        if evidence.helper_loaded_page or evidence.helper_works_at(Layer.TLS):
            return False
        page = evidence.helper_page
        if (
            page is not None
            and page.failure
            and cause_of(page.failure) in CERTIFICATE_CAUSES | {Cause.UNKNOWN}
        ):
            return True  # old helpers had no name for it
        return any(
            o.failure is not None and cause_of(o.failure) in CERTIFICATE_CAUSES
            for o in evidence.helper.get(Layer.TLS, ())
        )

    @property
    def answer(self) -> Lookup:
        """Of a lookup: what speaks for its answer and against it."""
        return Lookup(self.evidence, self.observation)

    # --- siblings of a connection -------------------------------------------------------------

    @property
    def to_wrong_address(self) -> bool:
        """Where the record does not say which address was used: every one that the name was answered with.

        A redirect may also lead to an address of the user's own machine or network by itself.
        """
        o, wrong = self.observation, self.evidence.wrong_addresses
        if o.role == "redirect" and is_bogon(o.hostname or o.ip):
            return True
        if o.ip or not o.hostname or not wrong:
            return o.ip in wrong
        answers = {a for s in self.evidence.of(Layer.DNS) if s.hostname == o.hostname for a in s.answers}
        return bool(answers) and answers <= wrong

    @property
    def no_ipv6(self) -> bool:
        """An IPv6 attempt of a machine on which IPv6 does not work, or has no route there."""
        if not is_ipv6(self.observation.ip):
            return False
        return self.cause in (Cause.UNREACHABLE, Cause.LOCAL) or not self.evidence.ipv6_works

    @property
    def works_elsewhere(self) -> bool:
        """The same step to the same name and port worked at another address or attempt.

        A page in clear is no other attempt of one over TLS: most sites only redirect there.  An address whose
        name is not known may be another of the target's.
        """
        o = self.observation
        if o.layer is Layer.HTTP:
            return bool(o.hostname) and (o.hostname, o.url[:6] == "https:") in self.evidence.pages_that_came
        if not o.hostname:
            return any(
                s.layer is o.layer and s.target == o.target for s in self.evidence.probe if not s.failure
            )
        return step_of(o) in self.evidence.worked

    @property
    def few_endpoints_fail(self) -> bool:
        """Fewer than half of the target's endpoints fail, and others show that this layer works."""
        o = self.observation
        return not self.group.fails and any(
            (s.target, s.role, s.layer) == (o.target, o.role, o.layer) and s.failure is None
            for s in self.evidence.probe
        )

    @property
    def lower_layer_failed(self) -> bool:
        """A step below failed for this name and never worked, so this one could not be made."""
        o, evidence = self.observation, self.evidence
        below = [Layer.DNS, Layer.TCP]
        if o.layer is Layer.HTTP and o.url.startswith("https:"):
            below.append(Layer.TLS)
        steps = {(layer, o.hostname, 0 if layer is Layer.DNS else o.port) for layer in below if o.hostname}
        if not steps.isdisjoint(evidence.tried - evidence.worked):
            return True
        endpoint = [
            s for s in evidence.probe if s.layer in below and (s.ip, s.port) == (o.ip, o.port) and o.ip
        ]
        failed = {s.layer for s in endpoint if s.failure is not None}
        return bool(failed - {s.layer for s in endpoint if s.failure is None})

    @property
    def tls_was_seen(self) -> bool:
        return any(
            at is Layer.TLS and name == self.observation.hostname for at, name, _ in self.evidence.tried
        )

    @property
    def address_also_fails_for_others(self) -> bool:
        """The same step to the same address failed alike for another name: the name is not the trigger."""
        o = self.observation
        return any(
            s.layer is o.layer and s.ip == o.ip and s.hostname != o.hostname and s.failure == o.failure
            for s in self.evidence.probe
            if o.ip
        )

    @property
    def innocuous_name_works(self) -> bool:
        """The same step to the same address and port was completed with a name that nobody checked.

        Only a probe that tries a control name on purpose leaves its certificate unverified.
        """
        o = self.observation
        return any(
            s.layer is o.layer
            and (s.ip, s.port) == (o.ip, o.port)
            and s.hostname != o.hostname
            and s.failure is None
            and s.cert_valid is None
            for s in self.evidence.probe
            if o.ip and o.layer in (Layer.TLS, Layer.QUIC)
        )

    @property
    def browser_gets_through(self) -> bool:
        """Was a browser's ClientHello with this name answered here, where the probe's own was cut?

        Where one was cut at another address, the name is a trigger too: an injector may lose a race.
        """
        return self.observation.browser == "answered" and not any(
            s.browser == "cut" and s.hostname == self.observation.hostname
            for s in self.evidence.of(Layer.TLS)
        )

    @property
    def is_normal(self) -> bool:
        """A normal control travelled with the measurement: the helper's, or another name's at the address.

        Of a rate only a rate is one.
        """
        if self.observation.layer is Layer.TRANSFER:
            return bool(self.evidence.helper.get(Layer.TRANSFER) or self.same_server)
        if self.observation.role == RESOLVER:
            return self.plain_lookups_work
        return (self.has_helper and self.reachable is True) or self.innocuous_name_works

    @property
    def meets_notice(self) -> bool:
        """The country's own notice of a block was met, or the address that serves it was answered.

        Neither a site that is down nor a bad line gives one.  What vendors' filters show does not count: a
        school's or a company's is no order of a country's.
        """
        if self.observation.layer is Layer.DNS:
            return self.answer.has_block_address
        country = self.evidence.parsed.measurement.country
        return any(
            match.kind is FingerprintKind.BLOCKPAGE and country in match.countries for match in self.matches
        )

    @property
    def plain_lookups_work(self) -> bool:
        """In a probe's look at its line: a public resolver answered over UDP, a known-good page came."""
        return self.evidence.is_look and self.evidence.parsed.control_failure is None

    @property
    def encrypted_lookups_time_out(self) -> bool:
        """All lookups of the measurement over TLS or HTTPS, which show nobody on the path a name."""
        made = [s for s in self.evidence.of(Layer.DNS) if s.resolver in ENCRYPTED]
        return bool(made) and all(s.failure and cause_of(s.failure) is Cause.TIMEOUT for s in made)

    @property
    def nothing_else_works(self) -> bool:
        """Neither the helper nor an encrypted lookup got through, nor this step for any other name."""
        layer = self.observation.layer
        return (
            self.helper_is_missing
            and self.encrypted_lookups_time_out
            and not any(s.failure is None for s in self.evidence.of(layer))
        )

    @property
    def same_server(self) -> list[Observation]:
        """Downloads that came whole from this very address under another name: same server, path and page."""
        o = self.observation
        return [
            s
            for s in self.evidence.of(Layer.TRANSFER)
            if o.ip and s.ip == o.ip and s.hostname != o.hostname and s.failure is None and not isnan(s.kbps)
        ]

    @property
    def another_name_works(self) -> bool:
        """The same layer worked for another name in this measurement."""
        layer, hostname = self.observation.layer, self.observation.hostname
        return any(at is layer and name != hostname for at, name, _ in self.evidence.worked)

    @property
    def others_distrusted(self) -> bool:
        """A control domain's certificate came from an unknown authority too: a proxy near the user.

        An encrypted resolver is asked under a name of its own, which is one.
        """
        control = self.evidence.parsed.control_failure
        asked = (s.failure for s in self.evidence.of(Layer.DNS) if s.resolver in ENCRYPTED)
        if any(failure and cause_of(failure) is Cause.AUTHORITY for failure in (control, *asked)):
            return True
        return bool(self.evidence.other_targets_distrusted - {self.observation.target})

    @property
    def path_is_healthy(self) -> bool:
        seconds = self.evidence.connect_seconds
        return isnan(seconds) or seconds < MOST_HEALTHY_CONNECT

    @property
    def line_is_slow(self) -> bool:
        """A bare connection takes more than a third of the time after which this step was given up.

        A handshake has more round trips and bytes than a connection.
        """
        connect = self.evidence.connect_seconds
        return connect >= LEAST_SLOW_CONNECT and self.observation.seconds < PATIENCE * connect  # NaN: false

    @property
    def control_handshake(self) -> float:
        return self.evidence.control_handshake(self.observation)

    @property
    def group(self) -> Group:
        o = self.observation
        return self.evidence.groups[(o.target, o.role, o.layer is Layer.DNS)]

    # --- pages --------------------------------------------------------------------------------

    @property
    def matches(self) -> tuple[Fingerprint, ...]:
        return self.evidence.matches(self.observation)

    @property
    def leads_to_block_page(self) -> bool:
        """A redirect in clear to a page that is a block page."""
        o = self.observation
        return bool(o.location) and any(
            page.url == o.location
            and any(match.kind is FingerprintKind.BLOCKPAGE for match in self.evidence.matches(page))
            for page in self.evidence.of(Layer.HTTP)
            if page is not o
        )

    @property
    def likeness(self) -> Likeness:
        """Of this page to the helper's."""
        helper = self.evidence.helper_page
        return Likeness.UNKNOWN if helper is None else likeness(self.observation, helper)

    @property
    def site_speaks(self) -> bool:
        """The page is the site's own word: nobody on the path could have written it.

        True over validated TLS, unless a page in clear sent the probe on to another host.
        """
        o = self.observation
        if not o.url.startswith("https:"):
            return False
        return o.role != "redirect" or not any(
            page.url.startswith("http:") and page.location and page.role != "redirect"
            for page in self.evidence.of(Layer.HTTP)
        )
