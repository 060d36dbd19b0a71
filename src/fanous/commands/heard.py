"""``fanous heard``: when each network was last heard, and which one is silent against its own habit."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fanous.commands.desk import (
    ConfigOption,
    JsonOption,
    StoreOption,
    country_code,
    open_named,
    print_document,
)
from fanous.model.instant import to_iso

if TYPE_CHECKING:
    from fanous.heartbeats import Heartbeat


def heard(
    country: Annotated[str | None, typer.Argument(metavar="[CC]", help="Only this country.")] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """When each network was last heard in four weeks, and whether it is silent for longer than it is used to.

    Silence alone is no finding: a cut line and volunteers who are offline look alike.
    """
    from fanous.live.hearing import heartbeats

    code = country_code(country) if country else None
    with open_named(store, config, read_only=True) as opened:
        beats, now = heartbeats(opened, code), opened.now()
        places = sorted({beat.entity.country for beat in beats})
        names = {(place, asn): name for place in places for asn, name in opened.networks(place).items()}
    if as_json:
        print_document({"at": to_iso(now), "networks": [_document(beat) for beat in beats]})
        return
    if not beats:
        print("no network was heard in the last four weeks")
        return
    for beat in beats:
        name = names.get((beat.entity.country, beat.entity.asn), "")
        network = f"AS{beat.entity.asn} {name}".rstrip()
        said = in_words(beat, now)
        print(f"{beat.entity.country}  {network:40.40}  {to_iso(beat.last)}  {said}".rstrip())


def in_words(beat: "Heartbeat", now: float) -> str:
    """Whether its silence is its habit."""
    if beat.habit is None:
        return "heard too seldom to know its habit"
    if not beat.silent:
        return ""
    return f"silent for {_hours(now - beat.last)} h; it is used to {_hours(beat.habit)} h at the most"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f}"


def _document(beat: "Heartbeat") -> dict[str, Any]:
    return {
        "country": beat.entity.country,
        "network": f"AS{beat.entity.asn}",
        "last": to_iso(beat.last),
        "habit_seconds": beat.habit,
        "silent": beat.silent,
    }
