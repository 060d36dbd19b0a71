"""Report: a rehearsal in lines for people."""

from fanous.evaluation.rehearsal.run import Rehearsal
from fanous.evaluation.rehearsal.score import Found, Met, Score
from fanous.lab.scenario import ScenarioStep
from fanous.refdata.platforms import title


def report_lines(rehearsal: Rehearsal, score: Score) -> list[str]:
    """What happened, what was found, what was missed, and how the lab kept up."""
    scenario = rehearsal.scenario
    lines = [f"{scenario.title} (one second stands for {scenario.stretch:.0f})", ""]
    lines += [_happened(event, len(hit)) for event, hit in zip(scenario.events, rehearsal.hit, strict=True)]
    lines += ["nothing happened"] if not scenario.events else []
    lines.append("")
    lines += [line for one in score.found for line in _found(one)]
    lines += ["nothing was found"] if not score.found else []
    lines += [f"MISSED  {_wanted(met)}: {met.why}" for met in score.missed]
    if not score.missed and not score.false:
        lines.append("as it should be: nothing missed, nothing false")
    lines += ["", _kept(rehearsal)]
    return lines


def _happened(event: ScenarioStep, points: int) -> str:
    about = f" {', '.join(event.targets)}" if event.targets else ""
    where = f"{len(event.networks)} network{'s' if len(event.networks) > 1 else ''}, {points} vantage points"
    return f"{event.at:5.0f} - {event.until:.0f} s  {event.technique}{about} on {where}"


def _found(one: Found) -> list[str]:
    document = one.sighting.document
    named = ", ".join(title(part["target"]) or "the network" for part in document["parts"])
    how = ", ".join(document["mechanisms"]) or "how: open"
    claim = f"{document['kind']} of {named}, {document['scope']}, {how}"
    if not one.events:
        return [f"FALSE   {document['id']} {document['status']}: {claim} ({document['reason']})"]
    parts = [f"suspected at {one.sighting.suspected:.1f} s"]
    if one.seconds_to_confirm is not None:
        parts.append(f"confirmed {one.seconds_to_confirm:.1f} s after it began")
    if one.seconds_to_end is not None:
        parts.append(f"over {one.seconds_to_end:.1f} s after it ended")
    return [f"found   {document['id']} {document['status']}: {claim}", f"        {', '.join(parts)}"]


def _wanted(met: Met) -> str:
    wanted = met.expectation
    about = ", ".join(wanted.targets) or "the network"
    return f"{wanted.kind} of {about}{f', {wanted.scope}' if wanted.scope else ''}"


def _kept(rehearsal: Rehearsal) -> str:
    kept = rehearsal.kept.values()
    rounds, missed = sum(one.rounds for one in kept), sum(one.missed for one in kept)
    made, arrived = sum(one.measurements for one in kept), sum(one.acknowledged for one in kept)
    slowest = max((one.slowest for one in kept), default=0.0)
    return (
        f"{rehearsal.seconds:.0f} s in all; {rounds} rounds made and {missed} left out, "
        f"{made:,} measurements, {arrived:,} acknowledged; the slowest round took {slowest:.1f} s"
    )
