"""Evidence: the observations of one measurement, sorted once so that every rule finds its controls.

Everything beyond the first sort is worked out only when a rule asks for it: most measurements are of
sites that simply work.

Groups: the endpoints of one target and role as a whole, for nettests that no helper controls.

Of a dozen endpoints some are always slow or gone; what counts is the share that fails, and where.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import isnan

from fanous.analysis.rules.addresses import is_bogon, is_ipv6, is_private_name
from fanous.analysis.rules.failures import CERTIFICATE_CAUSES, SILENT_CAUSES, Cause, cause_of
from fanous.analysis.rules.fingerprints import Fingerprint, Fingerprints
from fanous.model.measurement import Layer, Observation, Observer, ParsedMeasurement

LEAST_SHARE = 0.5
"""Real measurements: 1-4 of 12 endpoints fail in ordinary times, 8-12 of 12 where they are blocked."""

_DEPTH = {Layer.DNS: 0, Layer.TCP: 1, Layer.TLS: 2, Layer.QUIC: 2, Layer.HTTP: 3, Layer.TRANSFER: 4}


@dataclass(frozen=True, slots=True)
class Group:
    """How the endpoints of one target and role fared.

    Attributes:
        endpoints: that were tried.
        failed: of those, at which no step beyond the failing one worked.
        layer: at which most of the failed ones failed; ``None`` = none failed.
        cause: how most of those at ``layer`` failed.
    """

    endpoints: int
    failed: int
    layer: Layer | None
    cause: Cause | None

    @property
    def fails(self) -> bool:
        return self.failed >= LEAST_SHARE * self.endpoints > 0


def groups_of(observations: Iterable[Observation]) -> dict[tuple[str, str, bool], Group]:
    """Groups by target, role, and whether they are lookups (by name) or connections (by endpoint)."""
    members: dict[tuple[str, str, bool], dict[str, list[Observation]]] = {}
    without_address = []
    for o in observations:
        endpoints = members.setdefault((o.target, o.role, o.layer is Layer.DNS), {})
        if o.ip or o.layer is Layer.DNS:
            endpoints.setdefault(_endpoint(o), []).append(o)
        else:
            without_address.append((endpoints, o))
    for endpoints, o in without_address:
        _add_by_name(endpoints, o)
    return {key: _group(endpoints.values()) for key, endpoints in members.items()}


def _add_by_name(endpoints: dict[str, list[Observation]], o: Observation) -> None:
    """A step whose address is unknown belongs to all endpoints of its name and port, or is its own."""
    same = [
        steps
        for steps in endpoints.values()
        if o.hostname and any((s.hostname, s.port) == (o.hostname, o.port) for s in steps)
    ]
    for steps in same or [endpoints.setdefault(_endpoint(o), [])]:
        steps.append(o)


def _endpoint(o: Observation) -> str:
    if o.layer is Layer.DNS:
        return o.hostname
    if not o.ip:
        return f"{o.hostname or o.url} {o.port}"
    return f"{o.ip} {o.port}"


def _group(endpoints: Iterable[list[Observation]]) -> Group:
    count = 0
    failures: list[tuple[Layer, Cause]] = []
    for steps in endpoints:
        count += 1
        failure = _first_failure(steps)
        if failure is not None:
            failures.append(failure)
    if not failures:
        return Group(count, 0, None, None)
    layer = Counter(at for at, _ in failures).most_common(1)[0][0]
    cause = Counter(how for at, how in failures if at is layer).most_common(1)[0][0]
    return Group(count, len(failures), layer, cause)


def _first_failure(steps: list[Observation]) -> tuple[Layer, Cause] | None:
    """Where an endpoint broke first; ``None`` where every step has one attempt that worked."""
    worked = {o.layer for o in steps if o.failure is None}
    broken = sorted(
        (_DEPTH[o.layer], o.layer, cause_of(o.failure))
        for o in steps
        if o.failure is not None and o.layer not in worked
    )
    return (broken[0][1], broken[0][2]) if broken else None


Endpoint = tuple[Layer, str, int]

_NO_ROUTE = frozenset({Cause.UNREACHABLE, Cause.LOCAL})

Step = tuple[Layer, str, int]
"""Layer, host name and port (0 where the layer has none): 443 may be cut while 80 answers."""

CONNECTIONS = frozenset({Layer.TCP, Layer.TLS, Layer.QUIC})
_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"(https?)://([^/:?#]*)(?::(\d{1,5}))?", re.IGNORECASE)


class MeasurementEvidence:
    """One parsed measurement, indexed.

    Attributes:
        probe: the probe's observations, in order.
        helper: the outside helper's, by layer.
        wrong_addresses: addresses that forged DNS answers gave; filled while lookups are judged, before
            any connection is.
    """

    def __init__(self, parsed: ParsedMeasurement, fingerprints: Fingerprints) -> None:
        self.parsed = parsed
        self.fingerprints = fingerprints
        self.probe: list[Observation] = []
        self.helper: dict[Layer, list[Observation]] = {}
        self.wrong_addresses: set[str] = set()
        for observation in parsed.observations:
            if observation.vantage is Observer.PROBE:
                self.probe.append(observation)
            else:
                self.helper.setdefault(observation.layer, []).append(observation)
        self._matches: dict[int, tuple[Fingerprint, ...]] = {}

    # --- the outside helper -------------------------------------------------------------------

    @cached_property
    def helper_page(self) -> Observation | None:
        """What the helper's own request for the page gave, after all redirects."""
        return next(iter(self.helper.get(Layer.HTTP, ())), None)

    @cached_property
    def helper_loaded_page(self) -> bool:
        return self.helper_page is not None and self.helper_page.failure is None

    @cached_property
    def helper_endpoints(self) -> dict[Endpoint, Observation]:
        """By layer, address and port; a success is preferred over a failure."""
        found: dict[Endpoint, Observation] = {}
        for layer in (Layer.TCP, Layer.TLS, Layer.QUIC):
            for observation in self.helper.get(layer, ()):
                key = (layer, observation.ip, observation.port)
                if observation.failure is None or key not in found:
                    found[key] = observation
        return found

    @cached_property
    def helper_lookups(self) -> dict[str, Observation]:
        """By host name; a success is preferred over a failure."""
        found: dict[str, Observation] = {}
        for lookup in self.helper.get(Layer.DNS, ()):
            if lookup.failure is None or lookup.hostname not in found:
                found[lookup.hostname] = lookup
        return found

    @cached_property
    def helper_answers(self) -> dict[str, tuple[frozenset[str], frozenset[int]]]:
        """Addresses and (known) origin networks that the helper found, by host name."""
        addresses: dict[str, set[str]] = {}
        networks: dict[str, set[int]] = {}
        for lookup in self.helper.get(Layer.DNS, ()):
            addresses.setdefault(lookup.hostname, set()).update(lookup.answers)
            networks.setdefault(lookup.hostname, set()).update(n for n in lookup.answer_asns if n)
        return {name: (frozenset(addresses[name]), frozenset(networks[name])) for name in addresses}

    def helper_met_another(self, address: str) -> bool:
        """The helper asked for the site over TLS at this address, and was shown another's certificate."""
        return self._helper_causes(address) <= CERTIFICATE_CAUSES

    def helper_was_turned_away(self, address: str) -> bool:
        """The same, or no handshake came about."""
        return self._helper_causes(address) <= CERTIFICATE_CAUSES | {Cause.ALERT}

    def _helper_causes(self, address: str) -> frozenset[Cause]:
        """How the helper's handshakes at an address ended; ``UNKNOWN`` where it made none or one worked."""
        tried = [o for o in self.helper.get(Layer.TLS, ()) if o.ip == address]
        failures = [cause_of(o.failure) if o.failure else Cause.UNKNOWN for o in tried]
        return frozenset(failures or [Cause.UNKNOWN])

    def helper_works_at(self, layer: Layer, port: int = 0) -> bool:
        """Did the helper get through at any address?  ``port`` 0 = at any."""
        return any(o.failure is None and port in (0, o.port) for o in self.helper.get(layer, ()))

    @cached_property
    def page_ports(self) -> dict[str, set[int]]:
        """Ports at which each host was asked for a page, or that a redirect led to.

        Probes also try port 443 of a site whose address begins with ``http:``, where nobody may listen.
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

    def helper_saw_certificate(self, hostname: str) -> bool:
        """The helper was shown a valid certificate: in a handshake, or with a page that came over TLS.

        A site may have none: its page comes in clear, and at port 443 stands its host's for somebody else.
        """
        comes_over_tls = _PORTS["https"] in self.page_ports.get(hostname, {_PORTS["https"]})
        return (self.helper_loaded_page and comes_over_tls) or self.helper_works_at(Layer.TLS)

    def was_asked(self, step: Observation) -> bool:
        """Did a page of this name have to come through the port of this step, as far as the record tells?"""
        ports = self.page_ports.get(step.hostname) if step.hostname and step.layer in CONNECTIONS else None
        return not ports or _port_of(step) in ports | {0}

    # --- the probe's own siblings -------------------------------------------------------------

    def of(self, layer: Layer) -> Iterable[Observation]:
        return (o for o in self.probe if o.layer is layer)

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

        An empty address = a page came over validated TLS and the record does not say from where.
        """
        found = {
            (o.hostname, o.ip)
            for o in self.parsed.observations
            if o.layer in (Layer.TLS, Layer.QUIC) and o.failure is None and o.cert_valid is not False
        }
        found.update((o.hostname, o.ip) for o in self.of(Layer.HTTP) if https_page(o))
        return frozenset(found)

    @cached_property
    def connected(self) -> frozenset[str]:
        """Addresses to which the probe had at least one TCP connection or page."""
        layers = (Layer.TCP, Layer.TLS, Layer.QUIC, Layer.HTTP)
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
        return any(is_ipv6(address) for address in self.connected)

    @cached_property
    def other_targets_distrusted(self) -> frozenset[str]:
        """Targets at which the probe met an unknown certificate authority."""
        return frozenset(
            o.target
            for o in self.probe
            if o.failure is not None and cause_of(o.failure) is Cause.AUTHORITY and o.layer is not Layer.DNS
        )

    def control_handshake(self, observation: Observation) -> float:
        """Median seconds of handshakes with other names in the measurement; NaN = there was none."""
        times = sorted(
            o.seconds
            for o in self.probe
            if o.layer is observation.layer
            and o.failure is None
            and o.hostname != observation.hostname
            and not isnan(o.seconds)
        )
        return times[len(times) // 2] if times else float("nan")

    def fastest_handshake(self, observation: Observation) -> float:
        """Least seconds of the handshakes with this very name that worked; NaN = none is timed."""
        times = [
            o.seconds
            for o in self.probe
            if o.layer is observation.layer
            and o.failure is None
            and o.hostname == observation.hostname
            and not isnan(o.seconds)
        ]
        return min(times, default=float("nan"))

    def own_connect(self, step: Observation) -> float:
        """Least seconds of the connections to this very address and port; NaN = none is timed."""
        times = [
            o.seconds
            for o in self.of(Layer.TCP)
            if o.failure is None and (o.ip, o.port) == (step.ip, step.port) and not isnan(o.seconds)
        ]
        return min(times, default=float("nan"))

    @cached_property
    def connect_seconds(self) -> float:
        """Median seconds of the TCP connections that worked; NaN = unknown."""
        times = sorted(o.seconds for o in self.of(Layer.TCP) if o.failure is None and not isnan(o.seconds))
        return times[len(times) // 2] if times else float("nan")

    @cached_property
    def groups(self) -> dict[tuple[str, str, bool], Group]:
        return groups_of(self.probe)

    def matches(self, observation: Observation) -> tuple[Fingerprint, ...]:
        """Fingerprints in a response; one pass over it, remembered."""
        found = self._matches.get(id(observation))
        if found is None:
            found = self.fingerprints.find(observation, self.parsed.measurement.country)
            self._matches[id(observation)] = found
        return found

    # --- the measurement as a whole -----------------------------------------------------------

    @cached_property
    def is_of_private_name(self) -> bool:
        """Is what was measured a name, or an address, of the user's own network?  A platform never is.

        An address that the helper looked at too is one that whoever runs both has: a network of his own.
        """
        target = self.parsed.measurement.target
        own = [o for o in self.probe if o.target == target and o.role != "redirect" and o.hostname]
        return bool(own) and all(
            is_private_name(o.hostname) or (is_bogon(o.hostname) and not self.helper) for o in own
        )

    @property
    def is_look(self) -> bool:
        """Is it a probe's look at its own line?  Its defect says whether there is a network."""
        return self.parsed.measurement.test_name == "fanous_health"

    @cached_property
    def nothing_worked(self) -> bool:
        """Nobody answered the probe at all, as on a machine without a network.

        Blocking of one target leaves the lookup, or the helper, or a reset.  Where no lookup was tried
        only an unreachable network speaks for itself: an endpoint list may be cut off by silence.
        """
        if self.helper or not self.probe or self.is_look:
            return False
        failures = [o.failure for o in self.probe]
        control = self.parsed.control_failure
        if control is not None:
            return all(_offline(failure) for failure in (*failures, control))
        causes = {cause_of(failure) if failure else None for failure in failures}
        if any(o.layer is Layer.DNS for o in self.probe) and causes <= SILENT_CAUSES:
            return True
        # Android answers lookups from its empty cache then, but so it does where a resolver denies the name.
        return _NO_ROUTE & causes != set() and causes <= _NO_ROUTE | {Cause.NO_DATA}


def _offline(failure: str | None) -> bool:
    """Could a machine without a network show this?  Android answers lookups from its empty cache then."""
    return failure is not None and (cause_of(failure) is Cause.NO_DATA or cause_of(failure) in SILENT_CAUSES)


def step_of(o: Observation) -> Step:
    return (o.layer, o.hostname, _port_of(o) if o.layer in CONNECTIONS else 0)


def _port_of(step: Observation) -> int:
    """Old probes did not write down where a handshake was made."""
    return step.port or (0 if step.layer is Layer.TCP else _PORTS["https"])


def _port(url: re.Match[str]) -> int:
    return int(url[3]) if url[3] else _PORTS[url[1].lower()]


def https_page(observation: Observation) -> bool:
    return observation.failure is None and observation.url.startswith("https:")
