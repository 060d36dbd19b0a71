"""Evidence: one measurement, and each of its observations with its controls, as the rules need them.

``MeasurementEvidence`` sorts the observations of a measurement once.  ``Controls`` describes one of them: how it
failed, the result of the same step for the outside helper, and the results of related steps in the measurement.

Everything beyond the first sorting is computed only when a rule needs it, since most measurements are of sites that
work.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from math import isnan, nan
from typing import TypeVar

from fanous.analysis.rules.addresses import is_bogon, is_ipv6
from fanous.analysis.rules.failures import (
    ANSWERING,
    CERTIFICATE_CAUSES,
    LOOKUP_CAUSES,
    Cause,
    Group,
    cause_of,
    groups_of,
)
from fanous.analysis.rules.fingerprints import Fingerprint, Fingerprints
from fanous.model.measurement import ENCRYPTED, PORTS, Layer, Observation, Observer, ParsedMeasurement, noun
from fanous.model.threshold import threshold

Endpoint = tuple[Layer, str, int]

Step = tuple[Layer, str, int]
"""Layer, host name and port (0 where the layer has none), since 443 may be cut while 80 answers."""

CONNECTIONS = frozenset({Layer.TCP, Layer.TLS, Layer.QUIC})
_URL = re.compile(r"(https?)://([^/:?#]*)(?::(\d{1,5}))?", re.IGNORECASE)


class MeasurementEvidence:
    """One parsed measurement, indexed.

    Attributes:
        probe: the probe's observations, in order.
        helper: the outside helper's, by layer.
        helper_page: the helper's result for the page, after all redirects.
        helper_lookups: by host name; a success is preferred over a failure.
        helper_answers, helper_networks: addresses and (known) origin networks that it found, by host name.
        helper_endpoints: by layer, address and port; a success is preferred over a failure.
        wrong_addresses: addresses that forged DNS answers gave; filled while lookups are judged, before any
            connection is.
    """

    def __init__(self, parsed: ParsedMeasurement, fingerprints: Fingerprints) -> None:
        self.parsed = parsed
        self.fingerprints = fingerprints
        self.probe: list[Observation] = []
        self._by_layer: dict[Layer, list[Observation]] = {}
        self.helper: dict[Layer, list[Observation]] = {}
        self.wrong_addresses: set[str] = set()
        for observation in parsed.observations:
            if observation.vantage is Observer.PROBE:
                self.probe.append(observation)
                self._by_layer.setdefault(observation.layer, []).append(observation)
            else:
                self.helper.setdefault(observation.layer, []).append(observation)
        self.helper_page = next(iter(self.helper.get(Layer.HTTP, ())), None)
        self.helper_loaded_page = self.helper_page is not None and self.helper_page.failure is None
        lookups = self.helper.get(Layer.DNS, ())
        self.helper_lookups = _best(lookups, lambda o: o.hostname)
        self.helper_answers: dict[str, set[str]] = {}
        self.helper_networks: dict[str, set[int]] = {}
        for lookup in lookups:
            self.helper_answers.setdefault(lookup.hostname, set()).update(lookup.answers)
            known = (asn for asn in lookup.answer_asns if asn)
            self.helper_networks.setdefault(lookup.hostname, set()).update(known)
        made = (o for layer in CONNECTIONS for o in self.helper.get(layer, ()))
        self.helper_endpoints: dict[Endpoint, Observation] = _best(made, lambda o: (o.layer, o.ip, o.port))
        self._matches: dict[int, tuple[Fingerprint, ...]] = {}

    # --- the outside helper -------------------------------------------------------------------

    def helper_works_at(self, layer: Layer, port: int = 0) -> bool:
        """Did the helper get through at any address?  ``port`` 0 = any port."""
        return any(o.failure is None and port in (0, o.port) for o in self.helper.get(layer, ()))

    @cached_property
    def page_ports(self) -> dict[str, set[int]]:
        """Ports at which each host was asked for a page, or to which a redirect led.

        Probes also try port 443 of a site whose address begins with ``http:``, where nothing may listen.
        """
        found: dict[str, set[int]] = {}
        for page in self.parsed.observations:
            if page.layer is not Layer.HTTP:
                continue
            asked, led = _URL.match(page.url), _URL.match(page.location)
            if asked:
                found.setdefault(page.hostname, set()).add(_port(asked))
            if led:
                found.setdefault(led[2].lower(), set()).add(_port(led))
        return found

    def was_asked(self, step: Observation) -> bool:
        """Did a page of this name have to come through the port of this step, as far as the record shows?"""
        ports = self.page_ports.get(step.hostname) if step.hostname and step.layer in CONNECTIONS else None
        return not ports or _port_of(step) in ports | {0}

    # --- the probe's own siblings -------------------------------------------------------------

    def of(self, layer: Layer) -> Sequence[Observation]:
        """The probe's observations of a layer, in order."""
        return self._by_layer.get(layer, ())

    @cached_property
    def worked(self) -> frozenset[Step]:
        """Steps that worked, at any address and attempt."""
        return frozenset(step_of(o) for o in self.probe if o.failure is None)

    @cached_property
    def pages_that_came(self) -> frozenset[tuple[str, bool]]:
        """(host name, over TLS) of requests that were answered."""
        return frozenset(
            (o.hostname, o.url.startswith("https:")) for o in self.of(Layer.HTTP) if o.failure is None
        )

    @cached_property
    def tried(self) -> frozenset[Step]:
        return frozenset(map(step_of, self.probe))

    @cached_property
    def valid_addresses(self) -> frozenset[tuple[str, str]]:
        """(host name, address) where a certificate validated, seen by the probe or the helper.

        An empty address: a page came over validated TLS, and the record does not say from where.
        """
        found = {
            (o.hostname, o.ip)
            for o in self.parsed.observations
            if o.layer in (Layer.TLS, Layer.QUIC) and o.failure is None and o.cert_valid is not False
        }
        pages = (o for o in self.of(Layer.HTTP) if o.failure is None and o.url.startswith("https:"))
        found.update((o.hostname, o.ip) for o in pages)
        return frozenset(found)

    @cached_property
    def connected(self) -> frozenset[str]:
        """Addresses to which the probe had at least one TCP connection or page."""
        layers = CONNECTIONS | {Layer.HTTP}
        return frozenset(o.ip for o in self.probe if o.failure is None and o.layer in layers and o.ip)

    @cached_property
    def unconnected(self) -> frozenset[str]:
        """Addresses to which every TCP connection failed."""
        return frozenset(o.ip for o in self.of(Layer.TCP) if o.failure is not None) - self.connected

    @cached_property
    def bad_certificates(self) -> frozenset[tuple[str, str]]:
        """(host name, address) where the probe saw a certificate that is not valid for the name."""
        return frozenset(
            (o.hostname, o.ip)
            for o in self.probe
            if o.failure is not None
            and cause_of(o.failure) in CERTIFICATE_CAUSES
            and o.layer is not Layer.DNS
        )

    @cached_property
    def ipv6_works(self) -> bool:
        """Did anything come back over IPv6?  Who refuses or resets a connection has been reached."""
        return any(
            is_ipv6(o.ip) and (o.failure is None or cause_of(o.failure) in ANSWERING)
            for o in self.probe
            if o.layer in CONNECTIONS or o.layer is Layer.HTTP
        )

    @cached_property
    def other_targets_distrusted(self) -> frozenset[str]:
        """Targets at which the probe met an unknown certificate authority."""
        return frozenset(
            o.target
            for o in self.probe
            if o.failure is not None and cause_of(o.failure) is Cause.AUTHORITY and o.layer is not Layer.DNS
        )

    @cached_property
    def loses_packets(self) -> bool:
        """Did a connection come about only when its first packet was sent again, on a line that is fast otherwise?

        The packet is sent again after a second (RFC 6298 section 2).
        """
        made = [*self.times(Layer.TCP), *self.times(Layer.TLS)]
        late = any(seconds >= RETRANSMISSION for seconds in self.times(Layer.TCP))
        return late and min(made) < LEAST_SLOW_CONNECT

    @cached_property
    def connect_seconds(self) -> float:
        """Median seconds of the TCP connections that worked; NaN = unknown."""
        return middle(self.times(Layer.TCP))

    def times(self, layer: Layer, holds: Callable[[Observation], bool] = lambda _: True) -> list[float]:
        """Seconds of the steps that worked and were timed, least first."""
        made = (o for o in self.of(layer) if o.failure is None and not isnan(o.seconds))
        return sorted(o.seconds for o in made if holds(o))

    @cached_property
    def groups(self) -> dict[tuple[str, str, bool], Group]:
        return groups_of(self.probe)

    def matches(self, observation: Observation) -> tuple[Fingerprint, ...]:
        """Fingerprints in a response, found in one pass over it and remembered."""
        found = self._matches.get(id(observation))
        if found is None:
            found = self.fingerprints.find(observation, self.parsed.measurement.country)
            self._matches[id(observation)] = found
        return found

    def gives_block_address(self, lookup: Observation) -> bool:
        """Is one of the answers known to serve the notice of what is blocked in the country?"""
        country = self.parsed.measurement.country
        return any(
            self.fingerprints.is_block_address(address, country, lookup.hostname)
            for address in lookup.answers
        )

    @property
    def is_look(self) -> bool:
        """Is it a probe's check of its own line? Then its defect shows whether there is a network."""
        return self.parsed.measurement.test_name == "fanous_health"


K = TypeVar("K")


def _best(made: Iterable[Observation], key: Callable[[Observation], K]) -> dict[K, Observation]:
    """The observations by key; a success is preferred over a failure."""
    found: dict[K, Observation] = {}
    for o in made:
        if o.failure is None or key(o) not in found:
            found[key(o)] = o
    return found


def middle(times: list[float]) -> float:
    """The median of ascending times; NaN = there are none."""
    return times[len(times) // 2] if times else nan


def step_of(o: Observation) -> Step:
    return (o.layer, o.hostname, _port_of(o) if o.layer in CONNECTIONS else 0)


def _port_of(step: Observation) -> int:
    """The port of a step; old probes did not record where a handshake was made."""
    return step.port or (0 if step.layer is Layer.TCP else PORTS["https"])


def _port(url: re.Match[str]) -> int:
    return int(url[3]) if url[3] else PORTS[url[1].lower()]


# --- one observation ------------------------------------------------------------------------------------

MOST_HEALTHY_CONNECT = threshold(
    "rules.healthy_connect_seconds",
    1.5,
    "A path whose connections take longer loses packets or is congested (one lost SYN costs 1 s), so slow data "
    "over it say nothing about the target.",
)


LEAST_SLOW_CONNECT = threshold(
    "rules.slow_connect_seconds",
    0.5,
    "A line that connects faster is not slow, however early a handshake was given up.",
)

RETRANSMISSION = threshold(
    "rules.retransmission_seconds",
    1.0,
    "Time after which the first packet of a connection is sent again (RFC 6298). A connection that takes "
    "longer, on a line where others take less than `rules.slow_connect_seconds`, lost one.",
)

PATIENCE = threshold(
    "rules.connects_a_handshake_needs",
    3.0,
    "Times the time of a connection: a handshake that was given no longer may still have been under way.",
)

RESOLVER = "resolver"
"""Role of an observation about an encrypted resolver, not about the name that it was asked for."""


@noun
class Controls:
    """The controls of one observation, each computed when a rule needs it."""

    evidence: MeasurementEvidence
    observation: Observation

    # --- how it failed ------------------------------------------------------------------------

    @property
    def cause(self) -> Cause:
        """How the observation failed; ``UNKNOWN`` if it worked."""
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
        """Does the nettest have a helper that did not answer?  Other nettests never have one."""
        parsed = self.evidence.parsed
        return not self.evidence.helper and (
            parsed.control_failure is not None or parsed.measurement.test_name == "web_connectivity"
        )

    @property
    def same_step(self) -> Observation | None:
        """The helper's observation of the same step: same name, endpoint or page."""
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
        """Did the helper get through this step?  None = nothing shows it either way."""
        return HelperView(self.evidence, self.observation, self.cause, self.same_step).reachable

    # --- siblings of a connection -------------------------------------------------------------

    @property
    def to_wrong_address(self) -> bool:
        """Did it go to an address that a forged answer gave?  If the record does not say where: did all answers forge?

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
        """Is it an IPv6 attempt on a machine where IPv6 does not work or has no route there?"""
        if not is_ipv6(self.observation.ip):
            return False
        return self.cause in (Cause.UNREACHABLE, Cause.LOCAL) or not self.evidence.ipv6_works

    @property
    def works_elsewhere(self) -> bool:
        """Did the same step to the same name and port work at another address or attempt?

        An unencrypted page is not another attempt at one over TLS, since most sites only redirect there.  An address
        whose name is not known may be another of the target's.
        """
        o = self.observation
        if o.layer is Layer.HTTP:
            return bool(o.hostname) and (o.hostname, o.url[:6] == "https:") in self.evidence.pages_that_came
        if not o.hostname:
            return any(s.target == o.target for s in self.evidence.of(o.layer) if not s.failure)
        return step_of(o) in self.evidence.worked

    @property
    def few_endpoints_fail(self) -> bool:
        """Do so few of the target's endpoints fail that it works, while others show that this layer works?"""
        o = self.observation
        return not self.group.fails and any(
            (s.target, s.role) == (o.target, o.role) and s.failure is None for s in self.evidence.of(o.layer)
        )

    @property
    def innocuous_name_works(self) -> bool:
        """Did the same step to the same address and port work with a name whose certificate was not checked?

        Only a probe that tries a control name on purpose leaves its certificate unverified.
        """
        o = self.observation
        if not o.ip or o.layer not in (Layer.TLS, Layer.QUIC):
            return False
        return any(
            (s.ip, s.port) == (o.ip, o.port)
            and s.hostname != o.hostname
            and s.failure is None
            and s.cert_valid is None
            for s in self.evidence.of(o.layer)
        )

    @property
    def plain_lookups_work(self) -> bool:
        """Were names found without encryption, and did a page or handshake work?

        A probe's check of its own line says so itself.
        """
        evidence = self.evidence
        if evidence.is_look:
            return evidence.parsed.control_failure is None
        found = any(
            s.answers and s.role != RESOLVER and s.resolver not in ENCRYPTED for s in evidence.of(Layer.DNS)
        )
        return found and any(s.failure is None for s in (*evidence.of(Layer.TLS), *evidence.of(Layer.HTTP)))

    @property
    def encrypted_lookups_time_out(self) -> bool:
        """Did all lookups over TLS or HTTPS, in which no one on the path can see a name, time out?"""
        made = [s for s in self.evidence.of(Layer.DNS) if s.resolver in ENCRYPTED]
        return bool(made) and all(s.failure and cause_of(s.failure) is Cause.TIMEOUT for s in made)

    @property
    def nothing_else_works(self) -> bool:
        """Did neither the helper, nor an encrypted lookup, nor this step for any other name get through?"""
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

        The name of an encrypted resolver counts as a control domain.
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
        """Does a bare connection take more than a third of the time after which this step was given up?

        A handshake has more round trips and bytes than a connection.
        """
        connect = self.evidence.connect_seconds
        return connect >= LEAST_SLOW_CONNECT and self.observation.seconds < PATIENCE * connect  # NaN: false

    @property
    def group(self) -> Group:
        o = self.observation
        return self.evidence.groups[(o.target, o.role, o.layer is Layer.DNS)]

    # --- pages --------------------------------------------------------------------------------

    @property
    def matches(self) -> tuple[Fingerprint, ...]:
        return self.evidence.matches(self.observation)


@noun
class HelperView:
    """What the helper says about one step: did it get through?

    Attributes:
        cause: how the step failed; ``UNKNOWN`` if it worked.
        same: the helper's observation of the same step; None = it made none.
    """

    evidence: MeasurementEvidence
    step: Observation
    cause: Cause
    same: Observation | None

    @property
    def reachable(self) -> bool | None:
        """Did the helper get through this step?  None = nothing shows it either way.

        A redirect's host was reached if the helper loaded the page behind it.  For an endpoint that the helper did
        not try, or could not reach while it reached the site, only the page counts, if it came through this port.
        Helpers before 2022 tried no handshakes: there the page must fail in the same way.
        """
        same = self.same
        if same is not None and same.layer is Layer.DNS:
            return self._name_is_known(same)
        if same is not None and (same.failure is None or self._is_answered(same)):
            return True
        if self.evidence.helper_loaded_page:
            told = same is None and self._page_tells and not self._address_is_down
            return True if told else None if self.step.layer in CONNECTIONS else False
        return False if same is not None or self._page_failed_alike else None

    def _is_answered(self, same: Observation) -> bool:
        """Does the helper's failure prove that the server answers?

        A certificate that it does not trust does, unless the step itself failed for such a certificate: only the same
        failure, or silence, means that the site is down.  Helpers have no name for a page that failed for its
        certificate; their handshakes say so.
        """
        made = [same]
        if same.layer is Layer.HTTP and cause_of(same.failure or "") is Cause.UNKNOWN:
            made = list(self.evidence.helper.get(Layer.TLS, ()))
        distrusted = [o.failure is not None and cause_of(o.failure) in CERTIFICATE_CAUSES for o in made]
        return bool(made) and all(distrusted) and self.cause not in CERTIFICATE_CAUSES

    def _name_is_known(self, lookup: Observation) -> bool | None:
        """Does the name exist outside, by the helper's lookup, or if that gave no address by the page that came anyway?

        Old helpers recorded an alias without an address as no answer.
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
        """Does the page that the helper loaded vouch for this step?  One in the clear does not vouch for port 443."""
        o = self.step
        return self.evidence.was_asked(o) or self.evidence.helper_works_at(o.layer, o.port)

    @property
    def _address_is_down(self) -> bool:
        """For a handshake: could the helper not even connect there?"""
        o = self.step
        connection = self.evidence.helper_endpoints.get((Layer.TCP, o.ip, o.port))
        return o.layer is Layer.TLS and connection is not None and connection.failure is not None

    @property
    def _page_failed_alike(self) -> bool:
        """Did the helper's request fail as this step did, or for no named reason, while it tried no such step?

        Asked of requests over TLS, and of where a redirect led, since the helper got through to the site itself.
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
