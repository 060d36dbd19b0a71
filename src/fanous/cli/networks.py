"""``fanous networks``: when each network was last heard from, and which of them have fallen silent."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fanous.cli.common import ask, country_code, print_document, say, tell
from fanous.cli.options import OneCountry, ReadOptions, command, option
from fanous.model.instant import to_iso

if TYPE_CHECKING:
    from fanous.analysis.series.silence import Collapse, Heartbeat


class NetworksOptions(ReadOptions):
    """Options of ``fanous networks``."""

    country: OneCountry = None
    counts: Path | None = option(None, "Measurements a day and network, as OONI counts them.", metavar="FILE")


@command
def networks(options: NetworksOptions) -> None:
    """Show when each network was last heard from, and whether its silence is unusually long.

    Covers the past four weeks.  For one country, also shows the days on which hardly any of its networks was
    heard from, compared with other countries.  --counts FILE uses a table of counts (count, test_day,
    probe_asn) instead of the store.  Silence alone proves nothing: a cut connection and volunteers who are
    offline look the same.
    """
    if options.counts is not None:
        _of_counts(options.counts, options.as_json)
        return
    from fanous.monitor.tasks import ReadNetworks
    from fanous.wording.words import STAGED

    code = country_code(options.country) if options.country else None
    found = ask(options, ReadNetworks(code))
    beats, now, fell = found.beats, found.at, found.collapses
    names = {(place, asn): name for place, asn, name in found.names}
    if options.as_json:
        heard = [_document(beat) for beat in beats]
        fallen = [_fell(one) for one in fell]
        print_document(
            {
                "at": to_iso(now),
                "synthetic": found.synthetic,
                "measured_until": None if found.last is None else to_iso(found.last),
                "networks": heard,
                "collapses": fallen,
            }
        )
        return
    if found.synthetic:
        say(STAGED)
    for one in fell:
        say(_in_a_line(one))
    if not beats:
        end = "nothing was ever measured" if found.last is None else f"the data end at {to_iso(found.last)}"
        say(f"no network was heard from in the last four weeks: {end}")
        return
    for beat in beats:
        name = names.get((beat.place.country, beat.place.asn), "")
        network = f"AS{beat.place.asn} {name}".rstrip()
        words = in_words(beat, now)
        say(f"{beat.place.country}  {network:40.40}  {to_iso(beat.last)}  {words}".rstrip())


def in_words(beat: "Heartbeat", now: float) -> str:
    """Whether its silence is normal for this network."""
    if beat.habit is None:
        return "heard from too rarely to know what is normal"
    if not beat.silent:
        return ""
    return f"silent for {_hours(now - beat.last)} h; its longest usual silence is {_hours(beat.habit)} h"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f}"


def _document(beat: "Heartbeat") -> dict[str, Any]:
    return {
        "country": beat.place.country,
        "network": f"AS{beat.place.asn}",
        "last": to_iso(beat.last),
        "habit_seconds": beat.habit,
        "silent": beat.silent,
    }


def _of_counts(path: Path, as_json: bool) -> None:
    from fanous.analysis.series.silence import collapses
    from fanous.model.instant import DAY
    from fanous.sources.ooni_counts import read_counts

    series = read_counts(path)
    collapsed = collapses(series, [], max(float(line.times[-1]) for line in series) + DAY)
    none = "on every day, most networks were heard from"
    tell(
        as_json, {"collapses": [_fell(collapse) for collapse in collapsed]}, map(_in_a_line, collapsed), none
    )


def _fell(collapse: "Collapse") -> dict[str, Any]:
    from fanous.wording.reasons import why_document

    return {
        "start": to_iso(collapse.start),
        "end": None if collapse.end is None else to_iso(collapse.end),
        "networks_expected": round(collapse.expected, 1),
        "networks_heard": round(collapse.heard, 1),
        "chance": collapse.chance,
        "reading": str(collapse.reading),
    } | why_document([collapse.reason])


def _in_a_line(collapse: "Collapse") -> str:
    from fanous.wording.reasons import reasons_text

    end = "still silent" if collapse.end is None else f"to {to_iso(collapse.end)[:10]}"
    return (
        f"SILENT  {to_iso(collapse.start)[:10]} {end}: {collapse.heard:.1f} networks heard from a day, where "
        f"{collapse.expected:.1f} are usual; {str(collapse.reading).replace('_', ' ')}: "
        f"{reasons_text([collapse.reason])}"
    )
