"""Outcome: what one measurement means, by the same rules that the monitor uses, in words.

None of it is stored, since it can be recomputed from the record.

The speed shown is that of a download if there was one, otherwise of the page; it decides nothing (the rules
compare a download with its control).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import msgspec
from msgspec import Struct

from fanous.analysis.rules import judge
from fanous.model.measurement import Layer, Observation, Observer, ParsedMeasurement, Record
from fanous.model.verdict import SEVERITY, State, Verdict
from fanous.probe.localise import Localised, localised
from fanous.probe.tls import opinion
from fanous.refdata.fingerprints import fingerprints
from fanous.sources.measurements import MEASUREMENT_SOURCES

LEAST_BYTES = 16_384
"""Bytes below which a page shows the round trip, not the rate."""


@dataclass(frozen=True, slots=True)
class Speed:
    """The measured speed.

    Attributes:
        kbps: median of the downloads' rates after their first third, or the page's.
        control_kbps: the control's, in the same way; ``None`` = there was no control.
        of: ``transfer`` or ``page``.
        froze_at: bytes after which every download stopped for good; ``None`` = they did not.
    """

    kbps: float
    control_kbps: float | None
    of: str
    froze_at: int | None = None


class _Transfer(Struct):
    role: str
    kbps: float | None = None
    kbps_late: float | None = None
    failure: str | None = None
    stall_offset: int | None = None


class _Event(Struct):
    operation: str
    t: float
    transaction_id: int
    num_bytes: int = 0


class _Request(Struct):
    t0: float
    transaction_id: int


class _Keys(Struct):
    requests: list[_Request] = []
    network_events: list[_Event] = []
    x_transfers: list[_Transfer] = []


class _Record(Struct):
    test_keys: _Keys


_record = msgspec.json.Decoder(_Record)


def speed_of(line: bytes) -> Speed | None:
    """From one of our own records."""
    keys = _record.decode(line).test_keys
    target, control = (_median(keys.x_transfers, role) for role in ("target", "control"))
    if target is not None:
        # Where the target's downloads stopped, if none continued; a rate up to there means nothing.
        of_target = [t for t in keys.x_transfers if t.role == "target"]
        ends = [t.stall_offset for t in of_target if t.failure is not None and t.stall_offset is not None]
        return Speed(target, control, "transfer", max(ends) if len(ends) == len(of_target) > 0 else None)
    pages = [rate for request in keys.requests if (rate := _page(request, keys.network_events)) is not None]
    return Speed(max(pages), None, "page") if pages else None


def _median(transfers: list[_Transfer], role: str) -> float | None:
    rates = [transfer.kbps_late or transfer.kbps for transfer in transfers if transfer.role == role]
    measured = [rate for rate in rates if rate is not None]
    return round(median(measured), 1) if measured else None


def _page(request: _Request, events: list[_Event]) -> float | None:
    reads = [
        event
        for event in events
        if event.operation == "read"
        and event.transaction_id == request.transaction_id
        and event.t >= request.t0
        and event.num_bytes
    ]
    if sum(read.num_bytes for read in reads) < LEAST_BYTES or reads[-1].t <= reads[0].t:
        return None
    # The bytes of the first read arrived in the time before it.
    count = sum(read.num_bytes for read in reads[1:])
    return round(count * 8 / 1000 / (reads[-1].t - reads[0].t), 1)


UNKNOWN_NETWORK = "unknown network"
"""The source's defect for a record without country or ASN: a monitor cannot place it, but its user can."""

BY_ANOTHER_RESOLVER = (
    "The page came only through an encrypted resolver's answer; your own resolver's answer did not lead to "
    "it."
)
"""The rules judge the site; the user also wants to know whether a browser on this machine would have reached
it.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one URL.

    Attributes:
        state: ok only if the page came and nothing contradicts it.
        symptom: it failed as it would if blocked, but there is no control to tell.
        layers: layer -> ``ok`` or the first failure, of the target's own endpoints.
        speed: how fast data came; ``None`` = too little came to tell.
        browser: what happened to a browser's ClientHello where ours was cut: ``answered``, ``cut``, or empty.
        localised: how far away it is cut; ``None`` = not asked for.
    """

    url: str
    target: str
    role: str
    state: State
    mechanism: str
    why: str
    symptom: bool
    layers: dict[str, str]
    verdicts: tuple[Verdict, ...]
    speed: Speed | None = None
    browser: str = ""
    localised: Localised | None = None


def outcome_of(url: str, line: bytes) -> Outcome:
    """Judge one record as it was written."""
    parsed = MEASUREMENT_SOURCES["edge"].parse(Record("edge", line))
    if parsed.measurement.defect == UNKNOWN_NETWORK:
        parsed = replace(parsed, measurement=replace(parsed.measurement, defect=""))
    verdicts = judge(parsed, fingerprints())
    direct = [verdict for verdict in verdicts if verdict.role != "redirect"]
    is_web = parsed.measurement.test_name == "web_connectivity"
    leading = leading_verdict(direct) if is_web else _leading_of_app(direct)
    if leading is not None and leading.state is State.OK and _came_by_another_resolver(parsed):
        leading = replace(leading, state=State.INSUFFICIENT, symptom=True, why=BY_ANOTHER_RESOLVER)
    return Outcome(
        url=url,
        target=parsed.measurement.target,
        role=leading.role if leading else "web",
        state=leading.state if leading else State.INSUFFICIENT,
        mechanism=leading.mechanism if leading else "",
        why=leading.why if leading else "The page did not come, and nothing that was tried shows why.",
        symptom=bool(leading and leading.symptom),
        layers=_layers(parsed, direct),
        verdicts=verdicts,
        speed=speed_of(line),
        browser=opinion(line),
        localised=localised(line),
    )


def _came_by_another_resolver(parsed: ParsedMeasurement) -> bool:
    """Did the target's page come from an address that the system's resolver did not return?"""
    observations = [o for o in parsed.observations if o.vantage is Observer.PROBE and o.role != "redirect"]
    page = next((o for o in observations if o.layer is Layer.HTTP and o.failure is None), None)
    lookups = [o for o in observations if o.layer is Layer.DNS and o.resolver == "system"]
    if page is None or not lookups:
        return False
    asked = [o for o in lookups if o.hostname == page.hostname]
    return bool(asked) and not any(page.ip in o.answers for o in asked)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome that decides for a target with several endpoints.

    Raises:
        ValueError: there are none.
    """
    return min(outcomes, key=lambda outcome: (SEVERITY[outcome.state], not outcome.symptom))


def leading_verdict(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The verdict that decides for a site.  Order: a finding; else the page if it came; else what prevented it; else
    the handshake, if no page was asked for."""
    for verdict in verdicts:
        if verdict.state not in (State.OK, State.INSUFFICIENT):
            return verdict
    page = [v for v in verdicts if v.layer is Layer.HTTP and v.state is State.OK]
    open_questions = [v for v in verdicts if v.state is State.INSUFFICIENT]
    symptoms = [v for v in open_questions if v.symptom]
    handshakes = [v for v in verdicts if v.layer is Layer.TLS and v.state is State.OK]
    return next(iter([*page, *symptoms, *open_questions, *handshakes]), None)


def _leading_of_app(verdicts: Sequence[Verdict]) -> Verdict | None:
    """Order: a finding; else a possible one, since one page says little about the app's other endpoints."""
    order = (
        [v for v in verdicts if v.state not in (State.OK, State.INSUFFICIENT)],
        [v for v in verdicts if v.state is State.INSUFFICIENT and v.symptom],
        [v for v in verdicts if v.state is State.OK and v.layer is not Layer.DNS],
        [v for v in verdicts if v.state is State.INSUFFICIENT],
    )
    return next((v for group in order for v in group), None)


FORGERIES = (("dns.injection", "forged"), ("http.blockpage", "block page"), ("http.redirect", "block page"))
"""Mechanism of a forged answer -> what the table shows instead of ``ok``."""


def _layers(parsed: ParsedMeasurement, verdicts: Sequence[Verdict]) -> dict[str, str]:
    observations = [o for o in parsed.observations if o.vantage is Observer.PROBE and o.role != "redirect"]
    layers = [layer for layer in Layer if any(o.layer is layer for o in observations)]
    cells = {str(layer): _cell([o for o in observations if o.layer is layer]) for layer in layers}
    for verdict in verdicts:
        for start, words in FORGERIES:
            if verdict.mechanism.startswith(start) and cells.get(str(verdict.layer)) == "ok":
                cells[str(verdict.layer)] = words
    return cells


def _cell(observations: list[Observation]) -> str:
    """A layer works for the user if one attempt worked; for look-ups only the system's resolver counts."""
    observations = [o for o in observations if o.resolver == "system"] or observations
    failures = [o.failure for o in observations if o.failure is not None]
    if len(failures) < len(observations):
        return "ok"
    return failures[0]
