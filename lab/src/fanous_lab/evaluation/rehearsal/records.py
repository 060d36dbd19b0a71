"""Records: what the probes of each case stored, small enough to keep, and what today's program concludes from it.

A change of rules or detectors can thus be tried on every case in a minute, without a lab.  Measurements that show the
same are kept once, as the first of them was stored: they have the same observations and verdicts, and rates of the same
class, but other times and sizes.  Each keeps when it was made and by which probe, so that series, baselines and silence
are those of the rehearsal.

What is concluded is what stands at the end, when everything has arrived.  Seconds until a confirmation, and
suspicions withdrawn on the way, need the lab.
"""

import lzma
import math
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import msgspec

from fanous.analysis.rules import judge
from fanous.errors import FanousError
from fanous.model.instant import DAY
from fanous.model.measurement import Observation, ParsedMeasurement, Provenance, Record, changed
from fanous.model.verdict import Verdict
from fanous.pipeline import detect, ingest
from fanous.pipeline.judge import Ingested, known_fingerprints
from fanous.publish.document import detailed_document
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni.values import instant_of
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous_lab.evaluation.rehearsal.capture import slim
from fanous_lab.evaluation.rehearsal.cases import Case, Place, TechniqueResult, results_of
from fanous_lab.evaluation.rehearsal.monitor import SOURCE, heard_until
from fanous_lab.evaluation.rehearsal.run import Rehearsal, shares_of
from fanous_lab.evaluation.rehearsal.score import LabClock, Sightings, score
from fanous_lab.scenario import Scenario

FORMAT = "fanous-rehearsals-1"

OF_PROBE = ("report_id", "probe_cc", "probe_asn", "probe_network_name", "resolver_asn", "annotations")
"""Fields of a record that are those of its probe and run."""

OF_RECORD = ("measurement_start_time", "test_start_time", "measurement_uid", "x_collector", "x_content")
"""Fields that each record has for itself; all but the first are made anew or left out."""

EVERY_READ = 10_000
"""All reads of a measurement are kept: they say how much of a page arrived, and so at what rate."""

SLOW_KBPS = 400.0
SLOW_CLASSES, CLASSES = 20, 2
"""Classes of rates in a decade: below 400 kbit/s, where the rates of throttles are compared with the truth, and above,
where a line is called slow if it is four times slower than it was."""

BEGINS = 1_262_304_000.0
APART = detect.HISTORY + 40 * DAY
"""Instant at which the first case is concluded from (1 January 2010), and seconds to the next one in the same store:
detectors do not look back so far."""

IN_ONE_STORE = 40
"""Cases: opening a store for each takes half a second, and measurements dated in the future would be ignored."""


class CaseRecords(msgspec.Struct, kw_only=True):
    """One case and the measurements that its probes stored, in order of their reports.

    Attributes:
        reports: ``OF_PROBE`` of each run of a probe.
        at: seconds of the monitor's clock from the beginning, for each measurement; ``by``: index in ``reports``;
            ``kinds``: index in ``LabRecords.kinds``.
    """

    tried: tuple[tuple[str, str], ...]
    placement: str
    scenario: Scenario
    reports: list[dict[str, Any]] = []
    at: list[int] = []
    by: list[int] = []
    kinds: list[int] = []

    @property
    def case(self) -> Case:
        return Case(self.tried, self.placement, self.scenario)

    @property
    def name(self) -> str:
        return ", ".join(self.case.names)


class LabRecords(msgspec.Struct):
    """Those of all cases.

    Attributes:
        kinds: measurements without ``OF_PROBE`` and ``OF_RECORD``.
        cases: by ``CaseRecords.name``.
    """

    format: str = FORMAT
    kinds: list[dict[str, Any]] = []
    cases: dict[str, CaseRecords] = {}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises:
        FanousError: the file is not of this format.
        """
        if not path.exists():
            return cls()
        try:
            records = msgspec.json.decode(lzma.decompress(path.read_bytes()), type=cls)
        except (lzma.LZMAError, msgspec.MsgspecError) as error:
            raise FanousError(f"{path} does not hold the records of rehearsals: {error}") from None
        if records.format != FORMAT:
            raise FanousError(f"{path} holds {records.format}, not {FORMAT}: play the cases again (make lab)")
        return records

    def write(self, path: Path) -> None:
        """Write the cases in order of their names, and the kinds in order of their first use; others are dropped."""
        order: dict[int, int] = {}
        cases = {}
        for name in sorted(self.cases):
            records = self.cases[name]
            cases[name] = msgspec.structs.replace(
                records, kinds=[order.setdefault(kind, len(order)) for kind in records.kinds]
            )
        data = msgspec.json.encode(LabRecords(self.format, [self.kinds[kind] for kind in order], cases))
        path.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))

    def add(self, case: Case, begins: float, lines: Iterable[bytes]) -> None:
        """Keep what the probes of a case stored, in place of what is known of it.

        Args:
            begins: unix seconds of the monitor's clock at which the case began.
            lines: the records as the collector kept them.
        """
        known = {shown(parsed_of(encoded(kind))): number for number, kind in enumerate(self.kinds)}
        kept = CaseRecords(tried=case.tried, placement=case.placement, scenario=case.scenario)
        reports: dict[str, int] = {}
        measurements = []
        for line in lines:
            record = msgspec.json.decode(slim(line, EVERY_READ))
            at = instant_of(record["measurement_start_time"])
            report = {name: record[name] for name in OF_PROBE if name in record}
            number = reports.setdefault(record["report_id"], len(reports))
            if number == len(kept.reports):
                kept.reports.append(report)
            kind = {name: value for name, value in record.items() if name not in (*OF_PROBE, *OF_RECORD)}
            key = shown(parsed_of(encoded(kind)))
            if key not in known:
                known[key] = len(self.kinds)
                self.kinds.append(kind)
            measurements.append((number, int((at or begins) - begins), known[key]))
        for by, at, of in sorted(measurements):
            kept.by.append(by)
            kept.at.append(at)
            kept.kinds.append(of)
        self.cases[kept.name] = kept

    def lines(self, name: str, begins: float) -> Iterator[bytes]:
        """The records of a case as if it had begun at another instant."""
        records = self.cases[name]
        for number, (at, by, kind) in enumerate(zip(records.at, records.by, records.kinds, strict=True)):
            yield encoded(self.kinds[kind], records.reports[by], begins + at, number)


def encoded(
    kind: dict[str, Any], report: dict[str, Any] | None = None, at: float = BEGINS, number: int = 0
) -> bytes:
    """A record of this kind."""
    began = time.gmtime(at)
    return msgspec.json.encode(
        {
            "measurement_uid": f"{time.strftime('%Y%m%d%H%M%S', began)}.{number:06}_lab",
            "measurement_start_time": time.strftime("%Y-%m-%d %H:%M:%S", began),
            **(report or {"report_id": "lab", "probe_cc": "PK", "probe_asn": "AS17557"}),
            **kind,
        }
    )


def parsed_of(record: bytes) -> ParsedMeasurement:
    return MEASUREMENT_SOURCES[SOURCE].parse(Record(SOURCE, record))


Shown = tuple[object, ...]


def shown(parsed: ParsedMeasurement) -> Shown:
    """What a measurement shows: equal for those of one kind."""
    measurement = parsed.measurement
    head = measurement.test_name, measurement.input, measurement.defect, parsed.control_failure
    observations = sorted(_observation(observation) for observation in parsed.observations)
    return *head, *observations, *sorted(map(_verdict, judge(parsed, fingerprints())))


def _observation(o: Observation) -> str:
    nan = math.nan
    untimed = changed(o, at=nan, seconds=nan, largest_gap=nan, kbps=nan, ttls=())
    bare = changed(untimed, received=-1, body_length=-1, cert_sha256="")
    return f"{bare} {_rate_class(o.kbps)} {o.received > 0}"


def _rate_class(kbps: float) -> int:
    """-1 = not known."""
    if math.isnan(kbps):
        return -1
    classes = SLOW_CLASSES if kbps < SLOW_KBPS else CLASSES
    return round(classes * math.log10(max(kbps, 1.0))) + (100 if kbps >= SLOW_KBPS else 0)


def _verdict(v: Verdict) -> str:
    return f"{v.state} {v.layer} {v.target} {v.mechanism} {v.rule_id} {v.controlled} {_rate_class(v.kbps)}"


COMPARED = ("found", "mechanisms", "scope", "access", "scope_right", "extra_networks", "false_left")
"""What a result says about the end of its run."""

NEAR = 0.1
"""Relative error of a rate that comes from one measurement of each kind."""


def differences(
    records: LabRecords, names: Iterable[str], results: Iterable[TechniqueResult]
) -> dict[Place, str]:
    """Where this program's conclusions differ from the results; empty where it concludes the same.

    Args:
        names: of the cases to conclude from.
        results: of which the latest of each case counts.

    Returns:
        For each technique and placement of these cases; a case without a result is a difference.
    """
    latest = {result.key: result for result in results if result.kept_up}
    differing: dict[Place, str] = {}
    for case, rehearsal in concluded(records, names):
        for anew in results_of(case.case, rehearsal, score(case.scenario, rehearsal.sightings)):
            said = latest.get(anew.key)
            why = "no result" if said is None else "; ".join(_differences(said, anew))
            differing[anew.place] = "; ".join(
                filter(None, (differing.get(anew.place), why and f"{anew.key}: {why}"))
            )
    return differing


def _differences(result: TechniqueResult, anew: TechniqueResult) -> Iterator[str]:
    for name in COMPARED:
        before, now = getattr(result, name), getattr(anew, name)
        if before != now:
            yield f"{name} was {before}, is {now}"
    if (result.confirmed is None) != (anew.confirmed is None):
        yield "was not confirmed, is" if result.confirmed is None else "was confirmed, is not"
    if abs(result.kbps - anew.kbps) > NEAR * result.kbps:
        yield f"kbps was {result.kbps:.0f}, is {anew.kbps:.0f}"


def concluded(records: LabRecords, names: Iterable[str]) -> Iterator[tuple[CaseRecords, Rehearsal]]:
    """Each of these cases, and what this program finds in its records by the end of it."""
    known_fingerprints()
    wanted = list(names)
    for first in range(0, len(wanted), IN_ONE_STORE):
        with (
            tempfile.TemporaryDirectory() as folder,
            open_store(Path(folder) / "store", staged=True) as store,
        ):
            for number, name in enumerate(wanted[first : first + IN_ONE_STORE]):
                case = records.cases[name]
                begins = BEGINS + number * APART
                path = Path(folder) / "records.jsonl"
                path.write_bytes(b"".join(line + b"\n" for line in records.lines(name, begins)))
                ingest.bring_in(store, SOURCE, [path], Ingested())
                yield case, _found(case.scenario, store, begins)


def _found(scenario: Scenario, store: Store, begins: float) -> Rehearsal:
    until = begins + scenario.duration * scenario.stretch
    synthetic = store.of(Provenance.SYNTHETIC)
    now = heard_until(synthetic, scenario.country, begins, until, scenario.tick_stands_for)
    detect.detect(store, scenario.country, begins, now, shares_of(scenario))
    sightings = Sightings()
    for incident in store.ledger.incidents(scenario.country, begins, until):
        sightings.see(detailed_document(incident), scenario.duration)
    return Rehearsal(scenario, LabClock(0.0, begins, scenario.stretch), sightings.all())
