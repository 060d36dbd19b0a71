"""Result: one technique in one run of the truth table, as one line of an append-only file."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from fanous.analysis.detectors.interference import DETECTOR_VERSION, SLOWDOWN_DETECTOR_VERSION
from fanous.analysis.rules import RULES_VERSION
from fanous.evaluation.rehearsal.cases import (
    LEAVES_PAGES_UNFINISHED,
    OF_LINES,
    PLACEMENTS,
    QUIET,
    SHOWS_OTHER_PAGES,
    Case,
)
from fanous.evaluation.rehearsal.run import Rehearsal
from fanous.evaluation.rehearsal.score import Document, Score, Sighting
from fanous.lab.scenario import ScenarioStep
from fanous.lab.truth import TRUTHS, Truth
from fanous.model.incident import Kind, Scope, Status

MOST_MISSED = 0.1
"""Share of rounds missed beyond which a run does not count: if probes cannot begin on time, time-outs measure the
machine."""

MOST_HURRIED = 0.5
"""Share of measurements on untouched lines that took too long, beyond which a run does not count.  Under a load that
missed no round it was nine in ten when QUIC was tried too seldom for its block to be found, and one in four when it was
found."""


_NOW = ("2026.25", "2026.31")
SAME_BUT_FOR: dict[tuple[tuple[str, str], tuple[str, str]], frozenset[str]] = {
    (("2026.19", "2026.17"), _NOW): LEAVES_PAGES_UNFINISHED | SHOWS_OTHER_PAGES,
    (("2026.20", "2026.17"), _NOW): SHOWS_OTHER_PAGES,
    (("2026.21", "2026.18"), _NOW): frozenset(),
    (("2026.21", "2026.19"), _NOW): frozenset(),
    (("2026.21", "2026.20"), _NOW): frozenset(),
    (("2026.21", "2026.21"), _NOW): frozenset(),
    (("2026.21", "2026.22"), _NOW): frozenset(),
    (("2026.21", "2026.23"), _NOW): frozenset(),
    (("2026.21", "2026.24"), _NOW): frozenset(),
    (("2026.21", "2026.25"), _NOW): frozenset(),
    (("2026.21", "2026.26"), _NOW): frozenset(),
    (("2026.22", "2026.27"), _NOW): frozenset(),
    (("2026.24", "2026.29"), _NOW): frozenset({"dns_blockpage"}),
    (("2026.24", "2026.30"), _NOW): frozenset(),
}
"""(Older rules and detectors, those of this program) -> techniques of which the older results say nothing.

2026.20 differs from 2026.19 in what a page is called that stopped after 10 to 24 kB and was given up too soon
to tell a freeze.  2026.21 differs from 2026.20 in pages that are compared with the control's, in what is dead
for all, and in what the lab has not: phones, old probes, programs against viruses.  Detectors 2026.18 differ
from 2026.17 in a platform that fails in three countries, in several resolvers of one network, and in a habit
of weeks; 2026.19 in networks of long events and in stretches next to them that carried no controls.  The lab
has none of these.  2026.20 differs on networks of three probes and more that do not say the same, above all
next to two other such networks: the lab has one, and there a thousand made-up runs of partial failures came
out the same; 2026.21 on networks of eight probes and more, and 2026.22 on those of four and more, which it
has not; 2026.23 in how many probes count behind OONI's test runs, and the lab's probes are our own; 2026.24 in
what the figures count, and in controls elsewhere that work on two layers: the lab's probes bring their own;
2026.25 in sources that disagree, and 2026.26 in platforms that fail in some countries only: the lab has one of
each.  Rules 2026.22 and detectors 2026.27 differ in what counts as a control of a symptom and of another page, in
filters that people choose, in Signal's chat server and in versions of nettests: the votes of all records of the
lab (``tests/golden/lab``) are the same.  Rules 2026.23 and detectors 2026.28 differ in time-outs over lines whose
connections are slow, in alerts, and in what may be the fault of a site, a host, a resolver or a line: the lab's
targets are platforms, its resolvers answer everything that no censor forges, its probes compare downloads, and
the votes of all its records are the same.  Rules 2026.24 and detectors 2026.29 differ in apps that fail at half to
two thirds of their endpoints, in WhatsApp's registration, and in how the parts of a service are named: the lab cuts
all hosts of a target alike.  Detectors 2026.30 differ from 2026.28 and 2026.29 in a forged answer next to a right one,
which those took for a former address: they confirmed no page in place of a site to which a resolver's answer led.
Rules 2026.25 and detectors 2026.31 differ in clocks that are ahead of a server's, in versions of nettests that
disagree, and in roles whose measurements do: the lab has one clock and one version.  Any other pair differs in
everything.
"""


class TechniqueResult(msgspec.Struct, kw_only=True):
    """The result for one technique.

    Attributes:
        found: an incident of a kind that the technique explains, about its target, on its networks.
        label: of the mechanisms of the target's part: ``exact``, ``coarser``, ``wrong`` or ``none``.
        suspected, confirmed, nation, ended: seconds after the onset (``ended``: after the end); ``None`` = never.
        minutes: of the monitor's clock from the onset to ``confirmed_at``.
        scope: the last known; ``scope_right``: it says no more than is true.
        kbps, true_kbps: of a throttle; 0 = none.
        extra_networks: networks named though nothing was done there.
        false_suspected, false_confirmed: claims of the whole run that nothing explains.
        false_left: those of them not retracted by the end; older results do not say.
        claims: stated confidence of each incident of the run, and whether something done explains it; the
            first result of a run has them, the others an empty list, older ones ``None``.
        rounds_missed: share of the rounds that the machine could not make.
        hurried: share of the measurements on lines where nothing was done that left no time for one more handshake
            to time out (``vantage_point.Kept``); ``None`` = an older result, which does not say.
        load: of the machine over the run's last minute, for each core.
    """

    technique: str
    placement: str
    seed: int
    target: str = ""
    found: bool = False
    label: str = "none"
    mechanisms: list[str] = []
    suspected: float | None = None
    confirmed: float | None = None
    nation: float | None = None
    ended: float | None = None
    minutes: float | None = None
    scope: str = ""
    access: str = ""
    scope_right: bool | None = None
    kbps: float = 0.0
    true_kbps: float = 0.0
    extra_networks: list[int] = []
    false_suspected: int = 0
    false_confirmed: int = 0
    false_left: int | None = None
    claims: list[tuple[float, bool]] | None = None
    rounds_missed: float = 0.0
    hurried: float | None = None
    load: float = 0.0
    rules: str = RULES_VERSION
    detectors: str = DETECTOR_VERSION
    slowdown_detectors: str = ""

    @property
    def kept_up(self) -> bool:
        """Did the machine keep up?  If not, the run says nothing about Fanous, and is repeated."""
        return self.rounds_missed <= MOST_MISSED and (self.hurried or 0.0) <= MOST_HURRIED

    @property
    def is_of_today(self) -> bool:
        """Were the rules and detectors those of this program?  Results of others say nothing about it.

        Slow-downs have detectors of their own, which decide where lines were slow, or nothing may be found.
        """
        if not self._says_the_same:
            return False
        is_of_lines = self.placement == QUIET or self.technique in OF_LINES
        return not is_of_lines or self.slowdown_detectors == SLOWDOWN_DETECTOR_VERSION

    @property
    def _says_the_same(self) -> bool:
        own, now = (self.rules, self.detectors), (RULES_VERSION, DETECTOR_VERSION)
        differ = SAME_BUT_FOR.get((own, now))
        return own == now or (differ is not None and self.technique not in differ)

    @property
    def key(self) -> str:
        return f"{self.technique} {self.placement} {self.seed}"


def results_of(case: Case, rehearsal: Rehearsal, score: Score) -> list[TechniqueResult]:
    """One for each technique tried."""
    rounds = sum(one.rounds for one in rehearsal.kept.values())
    missed = sum(one.missed for one in rehearsal.kept.values())
    shared: dict[str, Any] = {
        "placement": case.placement,
        "seed": case.seed,
        "false_suspected": len(score.false) - len(score.false_confirmed),
        "false_confirmed": len(score.false_confirmed),
        "false_left": sum(one.sighting.document["status"] != Status.RETRACTED for one in score.false),
        "slowdown_detectors": SLOWDOWN_DETECTOR_VERSION,
        "rounds_missed": round(missed / max(rounds + missed, 1), 3),
        "hurried": _hurried(rehearsal),
        "load": round(os.getloadavg()[0] / (os.cpu_count() or 1), 2),
    }
    found = [one.sighting for one in score.found]
    claims = [(float(one.sighting.document["confidence"]), bool(one.events)) for one in score.found]
    return [
        TechniqueResult(
            technique=technique,
            target=target,
            claims=claims if number == 0 else [],
            **_fared(case, number, rehearsal, found),
            **shared,
        )
        for number, (technique, target) in enumerate(case.tried)
    ]


def _hurried(rehearsal: Rehearsal) -> float:
    """On lines where nothing was done and nothing is broken; the probe abroad is always one of them."""
    touched = {name for names in rehearsal.hit for name in names}
    kept = [own for name, own in rehearsal.kept.items() if name not in touched and not own.fault]
    return round(sum(one.hurried for one in kept) / max(sum(one.sites for one in kept), 1), 3)


def _fared(case: Case, number: int, rehearsal: Rehearsal, sightings: Iterable[Sighting]) -> dict[str, Any]:
    if case.placement == QUIET:
        return {}
    event = case.scenario.events[number]
    truth = TRUTHS[event.technique]
    own = [(one, _part(one, event, truth)) for one in sightings]
    told = [(one, part) for one, part in own if part is not None]
    if not told:
        return {}
    # The confirmed one, otherwise the one claimed first.
    best, part = min(told, key=lambda pair: (pair[0].confirmed is None, pair[0].suspected))
    confirmed, document = best.by_target.get(part["target"]), best.document
    at = document["confirmed_at"]
    minutes = None
    if at is not None and confirmed is not None:
        minutes = round((confirmed - event.at) * rehearsal.scenario.stretch / 60, 1)
    return {
        "found": True,
        "label": truth.label(part["mechanisms"]),
        "mechanisms": part["mechanisms"],
        "suspected": _since(best.suspected, event.at),
        "confirmed": _since(confirmed, event.at),
        "nation": _since(best.nation, event.at),
        "ended": _since(best.ended, event.until),
        "minutes": minutes,
        "scope": document["scope"],
        "access": document["access"],
        "scope_right": _scope_right(case.placement, document),
        "kbps": (document["kbps"] or {}).get("mean", 0.0) if "throttle" in event.technique else 0.0,
        "true_kbps": event.rate_kbps if "throttle" in event.technique else 0.0,
        "extra_networks": sorted(best.networks - set(PLACEMENTS[case.placement])),
    }


def _since(moment: float | None, start: float) -> float | None:
    return None if moment is None else round(moment - start, 1)


def _part(sighting: Sighting, event: ScenarioStep, truth: Truth) -> Document | None:
    """The part about the event's target (any part if the event affects everything), if it is of its kind."""
    if sighting.suspected < event.at or not sighting.networks & set(event.networks):
        return None
    for part in sighting.document["parts"]:
        of_target = not event.targets or part["target"] in event.targets
        if of_target and Kind(part["kind"]) in truth.kinds:
            return dict(part)
    return None


def _scope_right(placement: str, document: Document) -> bool:
    """Does the scope say no more than is true?  Saying less is not an error: *insufficient* is an answer."""
    scope, access = document["scope"], document["access"]
    if placement == "isp":
        return bool(scope in (Scope.ISP, Scope.INSUFFICIENT))
    if placement == "mobile":
        return bool(scope != Scope.NATION or access == "mobile")
    return True


def known(path: Path) -> list[TechniqueResult]:
    """The results of earlier runs."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=TechniqueResult) for line in lines if line.strip()]


def append(path: Path, results: Iterable[TechniqueResult]) -> None:
    with path.open("ab") as file:
        for result in results:
            file.write(msgspec.json.encode(result) + b"\n")
