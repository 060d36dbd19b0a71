"""``fanous doctor``: shows what this machine lacks, and how to fix it."""

import os
import time
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fanous import __version__
from fanous.cli.common import ask, country_code, print_document, say
from fanous.cli.options import ReadOptions, command, is_given, option
from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.model.vitals import Need

if TYPE_CHECKING:
    from fanous.model.vitals import Spell
    from fanous.pipeline.drift import SourceCheck
    from fanous.pipeline.vitals import Ailment
    from fanous.store.location import StoreLocation

OTHERS = "fanous.needs"
"""Entry points of other packages; each is a function that returns what its package needs."""

LATELY_SEEN = 300.0
"""Greatest age of an observation that only a running monitor can make; it checks every minute."""


class DoctorOptions(ReadOptions):
    """Options of ``fanous doctor``."""

    context: typer.Context
    sources: bool = option(
        False,
        "Ask each public source one small question, and say how its answer differs from what is expected.",
    )
    country: str = option("PK", "With --sources: the country to ask about.", metavar="CC")


@command
def doctor(options: DoctorOptions) -> None:
    """Check that this machine has what the probe, the server parts and the lab need.

    Where the lab is installed, the kernel features that it needs are tested in a temporary network namespace.  With
    --store or --config, the monitor that uses that store is checked as well: silent sources, failing probe versions,
    clocks, disks, backlogs and damaged files; exit code 1 if anything is wrong.  Every file of the archive that lies
    on this machine is read, and with --config the whole configuration.  --sources needs the internet, and
    exits with 1 if a source could not be reached or its answer has changed; keys and mirrors are those of --config.
    """
    if options.sources:
        _doctor_of_sources(country_code(options.country), options.config, options.as_json)
        return
    from fanous.config import data_folder
    from fanous.store.location import store_place

    is_named = is_given(options.context, "store") or is_given(options.context, "config")
    # A new fanous.toml in the current folder has no store yet.
    if not is_named and options.config is not None:
        place = store_place(options.store, options.config)
        is_named = not isinstance(place, Path) or place.is_dir()
    if is_named:
        _doctor_of_store(options)
        return
    from fanous.pipeline.doctor import CONFINED, examine, of_confinement, tried_confinement
    from fanous.publish.signer import KEY_FILE, who_signs

    means, signer = tried_confinement(), who_signs(data_folder() / KEY_FILE)
    needs = [*examine(options.store or data_folder() / "store"), *of_confinement(means)]
    needs += [need for point in entry_points(group=OTHERS) for need in point.load()()]
    parts = dict.fromkeys(need.part for need in needs)
    if options.as_json:
        ready = {part: _is_ready(needs, part) for part in parts}
        confined = {
            "processes": [asdict(one) for one in CONFINED],
            "by": list(means.names),
            "gaps": list(means.gaps),
            "signer_uid": signer,
        }
        document = {"version": __version__, "ready": ready, "needs": [asdict(need) for need in needs]}
        print_document(document | {"confinement": confined})
        return
    for part in parts:
        needs_of_part = [need for need in needs if need.part == part]
        say(f"{part}: {'ready' if _is_ready(needs, part) else 'not ready'}")
        say(f"  found    {', '.join(need.name for need in needs_of_part if need.found) or '-'}")
        for need in needs_of_part:
            if not need.found:
                say(f"  {'missing' if need.is_vital else 'lacking':8} {need.name}: {need.mend}")
                say(f"           without it: {need.without}")
    say(f"confinement: {' and '.join(means.names) or 'none'}")
    for one in CONFINED:
        say(f"  {one.process:10} {one.reaches if means.names else 'everything that its user reaches'}")
    say(f"  {_signer(signer)}")
    for gap in means.gaps:
        say(f"  lacking    strangers' code could still {gap}")
    if options.config is not None:
        say(f"monitor: {options.config} has no store yet; `fanous run` makes it")


def _signer(uid: int | None) -> str:
    """Who signs with this user's key."""
    if uid is None:
        return "no signer is running: a command that signs reads the key itself"
    if uid == os.getuid():
        return f"a signer is running, as this user (uid {uid})"
    return f"a signer is running, as another user (uid {uid})"


def _doctor_of_store(options: DoctorOptions) -> None:
    from fanous.collector.inbox import backlogs
    from fanous.monitor.settings import inboxes_of
    from fanous.pipeline.status import feed_document
    from fanous.pipeline.vitals import UNREACHED, Ailment, ExamineStore, find_ailments
    from fanous.store.location import StoreLocation, in_folder, store_place

    config, as_json = options.config, options.as_json
    place = store_place(options.store, config)
    location = place if isinstance(place, StoreLocation) else in_folder(place)
    inboxes = inboxes_of(config, place)
    configuration = _ailments_of_configuration(config, place)
    folders = tuple(folder.absolute() for folder in (*location.folders, *inboxes))
    vitals, feed = ask(options, ExamineStore(folders, tuple(backlogs(inboxes)), time.time()))
    configuration += find_ailments(vitals)
    configuration += [
        Ailment(one.kind, one.about, one.says, one.mend)
        for one in feed
        if one.kind == UNREACHED and one.ended_at is None and time.time() - one.seen_at < LATELY_SEEN
    ]
    if as_json:
        print_document(
            {
                "ailments": [asdict(ailment) for ailment in configuration],
                "feed": feed_document(feed),
                "history": vitals.history and asdict(vitals.history),
            }
        )
    for ailment in configuration if not as_json else ():
        say(f"{ailment.kind}: {ailment.says}{_since(ailment, feed)}")
        say(f"  {ailment.mend}")
    if not configuration and not as_json:
        say(_well(sum(arrival.measurements for arrival in vitals.arrivals)))
    if vitals.history is not None and not as_json:
        chained = vitals.history
        say(
            f"history: {chained.entries:,} entries in a chain since {chained.begins}, newest link {chained.head}"
        )
    ended = sum(one.ended_at is not None for one in feed)
    if ended and not as_json:
        say(f"{ended} problems ended in the last 30 days (--json lists them)")
    if configuration:
        raise typer.Exit(1)


def _well(arrived: int) -> str:
    if not arrived:
        return "no fault was found, but no measurements have arrived in the last 28 days: this monitor sees nothing"
    return f"nothing is wrong: {arrived:,} measurement{'s' * (arrived != 1)} arrived in the last 28 days"


def _ailments_of_configuration(config: Path | None, place: "Path | StoreLocation") -> "list[Ailment]":
    """What `fanous run` would complain about before it starts; the secrets next to the file are read, too."""
    from fanous.config import load_environment
    from fanous.monitor.settings import read
    from fanous.pipeline.vitals import Ailment

    try:
        if config is not None:
            load_environment(config.with_name(f"{config.stem}.env"))
        read(config, place)
    except FanousError as error:
        return [
            Ailment(
                "configuration",
                str(config),
                str(error),
                "correct this: `fanous run` will not start until then",
            )
        ]
    return []


def _doctor_of_sources(country: str, config: Path | None, as_json: bool) -> None:
    from fanous.pipeline.drift import AnswerState, check_sources
    from fanous.sources.publishers import source_settings

    def show(check: "SourceCheck") -> None:
        if not as_json:
            for line in _lines_of(check):
                say(line, flush=True)

    sources = check_sources(source_settings(config), country, time.time(), on_done=show)
    asked = [source for source in sources if source.reached is not AnswerState.NOT_ASKED]
    if as_json:
        print_document({"country": country, "sources": [asdict(source) for source in sources]})
    elif asked and all(source.reached is AnswerState.UNREACHED for source in asked):
        say("No source was reached: this machine seems to have no internet connection.")
    if any(source.reached in (AnswerState.UNREACHED, AnswerState.DIFFERS) for source in sources):
        raise typer.Exit(1)


def _lines_of(check: "SourceCheck") -> list[str]:
    """One source's answer, for people."""
    words = {
        "as_expected": "as expected",
        "differs": "DIFFERS",
        "unreached": "not reached",
        "not_asked": "not asked",
    }[check.reached]
    read = f"{check.claims} claims" if check.claims else f"{check.series} series, {check.values:,} values"
    read = f"{check.measurements} measurements" if check.measurements else read
    what = check.why or f"{read} read"
    lines = [f"{check.source:14} {words}: {f'{check.about}: ' if check.about else ''}{what}"]
    return lines + [f"{'':15}{sentence}" for sentence in check.differs]


def _since(ailment: "Ailment", feed: "list[Spell]") -> str:
    """When the monitor first saw it, if it did."""
    same = (
        spell.began_at
        for spell in feed
        if spell.ended_at is None and (spell.kind, spell.about) == (ailment.kind, ailment.about)
    )
    return next((f" (since {to_iso(began)})" for began in same), "")


def _is_ready(needs: Iterable[Need], part: str) -> bool:
    return all(need.found for need in needs if need.part == part and need.is_vital)
