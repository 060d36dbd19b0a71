"""Measurement: the header of one raw record - who measured, from where, when, with what.

The raw record itself stays in the archive; the header says where it came from and names it for good.
"""

from dataclasses import replace

from fanous.model.noun import noun
from fanous.model.observation import Observation
from fanous.model.place import Access


@noun
class Measurement:
    """Who measured, from where, when.

    Attributes:
        uid: ``measurement_uid``, else the hash of the record's canonical form.  The identity.
        test_name: OONI's nettest, ``web_connectivity`` ...
        test_version: as written by the probe; empty = unknown.
        country: ISO 3166-1 alpha-2; ``ZZ`` = unknown.
        asn: of the probe's network; 0 = unknown.
        resolver_asn: of the resolver the probe used; 0 = unknown.
        access: from the record's ``network_type`` (``wifi`` says nothing about the line behind it).
        started_at: unix seconds, UTC.
        probe: what counts as one independent probe: OONI's ``probe_id`` (of a credential that its server
            checked, from 3.31 on), else ``report_id``, else ``uid``.
        software: name and version of the probe, ``ooniprobe-android 3.8.2``.
        input: the URL or other input; empty where the nettest has none.
        target: the platform or host that the measurement is about; empty where there is none.
        defect: why no conclusion may rest on it (``vpn``, ``no network``, ``unknown network`` ...);
            empty = sound.
        network_name: the network's name as the record gives it; empty = unknown.
    """

    uid: str
    test_name: str
    test_version: str
    country: str
    asn: int
    resolver_asn: int
    access: Access
    started_at: float
    probe: str
    software: str = ""
    input: str = ""
    target: str = ""
    defect: str = ""
    network_name: str = ""


@noun
class ParsedMeasurement:
    """One measurement with its facts: the probe's observations and those of its control.

    Attributes:
        measurement: the header.
        observations: in the order they were made; helper observations stand among them, told apart
            by ``Observation.vantage``.
        control_failure: why the outside helper could not be asked; ``None`` = it answered or the
            nettest has no helper (then no helper observation is here).
        bogus: what of the record could not be read, in words; each says field and reason.
    """

    measurement: Measurement
    observations: tuple[Observation, ...]
    control_failure: str | None = None
    bogus: tuple[str, ...] = ()

    def without_pages(self) -> "ParsedMeasurement":
        """Less what only rules read of pages, which takes more memory than all the rest."""
        return replace(self, observations=tuple(_without_page(one) for one in self.observations))


def _without_page(observation: Observation) -> Observation:
    if not observation.body and not observation.headers:
        return observation
    return replace(observation, body="", headers="")
