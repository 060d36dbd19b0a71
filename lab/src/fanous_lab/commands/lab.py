"""``fanous lab``: ``list``, ``up``, ``down`` and ``shell``; ``run`` and ``record`` rehearse a scenario in the
lab.
"""

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fanous.cli.common import print_document, say
from fanous.cli.options import JsonOptions, Options, argument, command, option
from fanous.errors import FanousError

if TYPE_CHECKING:
    from fanous_lab.censors import Cut
    from fanous_lab.evaluation.rehearsal.run import Rehearsal
    from fanous_lab.internet import Internet
    from fanous_lab.scenario import Scenario

MOST_SHOWN = 24
"""Vantage points listed on a terminal."""

lab_app = typer.Typer(
    help="Run a national internet with real censors in network namespaces; needs root.", no_args_is_help=True
)


@lab_app.command("list")
@command
def lab_list(options: JsonOptions) -> None:
    """List the techniques (what each does, and what a perfect observer would call it) and the scenarios."""
    from fanous_lab.censors import TECHNIQUES
    from fanous_lab.scenario import scenario_titles

    if options.as_json:
        print_document(
            {
                "techniques": [
                    {
                        "name": technique.name,
                        "does": technique.does,
                        "mechanism": technique.mechanism or None,
                        "needs_targets": technique.needs_targets,
                        "is_interference": technique.is_interference,
                    }
                    for technique in TECHNIQUES.values()
                ],
                "scenarios": [{"name": name, "title": title} for name, title in scenario_titles().items()],
            }
        )
        return
    for one in TECHNIQUES.values():
        print(f"{one.name:20} {one.does}")
        print(f"{'':20} {one.mechanism or 'no interference'}")
    print("\nScenarios, for `fanous lab run NAME`:")
    for name, title in scenario_titles().items():
        print(f"{name:26} {title}")


class LabUpOptions(JsonOptions):
    """Options of ``fanous lab up``."""

    networks: int = option(2, "Number of providers in the country.", min=1)
    vantage_points: int = option(1, "Number of vantage points in each provider.", min=1, max=100)
    country: str = option("ZZ", "Country whose internet it represents; ZZ: none.", metavar="CC")
    target: list[str] | None = option(None, "Platform or hostname; may be repeated.")
    cut: list[str] | None = option(
        None, "Censor to apply to every provider; may be repeated.", metavar="TECHNIQUE[:TARGET,...]"
    )
    collector: bool = option(
        True,
        "Whether to run a collector and test helper outside the country, for probes in it.",
        "--collector/--no-collector",
    )


@lab_app.command("up")
@command
def lab_up(options: LabUpOptions) -> None:
    """Start a lab that runs until `fanous lab down`; `fanous lab shell` opens a shell in it.

    A collector and a test helper run outside the country, so OONI's engine (miniooni) and `fanous probe` can measure
    at each vantage point; what to type is printed.
    """
    from time import monotonic

    from fanous_lab.censors import apply
    from fanous_lab.internet import Internet
    from fanous_lab.plan import Plan, plan_of

    began = monotonic()
    plain = plan_of(options.networks, options.country, options.vantage_points)
    internet = Internet(
        Plan(options.country, plain.networks, tuple(options.target or plain.targets)), is_standing=True
    )
    internet.up()
    try:
        for cut in options.cut or ():
            apply(internet, _cut_of(cut))
        outside = _start_collector(internet) if options.collector else {}
    except BaseException:
        internet.down()
        raise
    seconds = monotonic() - began
    if options.as_json:
        print_document({"seconds": round(seconds, 2), **_standing_document(internet), **outside})
        return
    print(f"{len(internet.providers)} networks are up after {seconds:.2f} s")
    for point in internet.vantage_points[:MOST_SHOWN]:
        print(f"  fanous lab shell {point.name:14} {point.access:6} {point.address}")
    if len(internet.vantage_points) > MOST_SHOWN:
        print(f"  ... and {len(internet.vantage_points) - MOST_SHOWN} more (--json lists them)")
    for place in outside.values():
        print(f"a collector and test helper are outside, at {place['url']}; to measure, type:")
        for line in place["type"]:
            print(f"  {line}")
        print("the lab's network numbers are not public, so what it receives is kept apart; to see it, type:")
        print(f"  fanous drain {place['inbox']}/apart --store STORE")


def _start_collector(internet: "Internet") -> dict[str, Any]:
    """A collector and test helper outside the country, and what to type to measure with them."""
    from shlex import join

    from fanous_lab.plan import COLLECTOR_ADDRESS, COLLECTOR_HOST, urls_of

    folder, port = internet.folder / "collector", 8471
    command = [
        *(sys.executable, "-m", "fanous", "collect", "--inbox", str(folder / "inbox")),
        *("--credentials", str(folder / "credentials.json"), "--networks", "none"),
        *("--lab", "--ca-file", str(internet.ca_file), "--listen", f"0.0.0.0:{port}"),
    ]
    internet.programs.start("collector", "", internet.argv(internet.names.outside, command))
    internet.programs.wait_for_port("collector", internet.names.outside, COLLECTOR_ADDRESS, port)
    settings = folder / "probe.toml"
    settings.write_text(f'ca_file = "{internet.ca_file}"\n', encoding="utf-8")
    point, url = internet.vantage_points[0], f"http://{COLLECTOR_HOST}:{port}"
    page = urls_of(internet.plan.targets[0])[0]
    country = (*("--country", internet.plan.country), *("--asn", str(point.asn)))
    sending = ("--settings", str(settings), "--collector", url, "--helper", url)
    probe = ("fanous", "probe", "run", "--yes", "-i", page, *sending, *country)
    engine = ("miniooni", "--yes", "--probe-services", url, "web_connectivity", "-i", page)
    typed = [join(("fanous", "lab", "shell", point.name, *words)) for words in (engine, probe)]
    return {"collector": {"url": url, "inbox": str(folder / "inbox"), "type": typed}}


def _cut_of(text: str) -> "Cut":
    """``sni_reset:x,youtube`` -> the cut it describes."""
    from fanous_lab.censors import Cut

    technique, _, targets = text.partition(":")
    return Cut(technique, targets=tuple(filter(None, targets.split(","))))


def _standing_document(internet: "Internet") -> dict[str, Any]:
    return {
        "country": internet.plan.country,
        "ca_file": str(internet.ca_file),
        "vantage_points": [asdict(point) for point in internet.vantage_points],
        "sites": [asdict(site) for site in internet.sites],
    }


@lab_app.command("down")
def lab_down() -> None:
    """Stop the running lab, and clean up after any whose process died."""
    from fanous_lab import registry
    from fanous_lab.internet import STANDING_NAME

    removed = registry.remove_dead(also=STANDING_NAME)
    print(f"removed {', '.join(removed)}" if removed else "no lab is running")


class LabShellOptions(Options):
    """Options of ``fanous lab shell``."""

    vantage: str = argument(..., "Vantage point, such as as17557-1.", metavar="VANTAGE")
    command: list[str] | None = argument(None, "Command to run instead of a shell.", metavar="[COMMAND]...")


@lab_app.command("shell", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@command
def lab_shell(options: LabShellOptions) -> None:
    """Open a shell at a vantage point of the running lab, to use curl, dig or a browser under censorship.

    Programs that respect SSL_CERT_FILE (OpenSSL, curl, Python) trust the lab's certificate authority.
    """
    from fanous_lab import registry
    from fanous_lab.internet import attach

    held = [lab for lab in registry.labs() if lab.is_held]
    if not held:
        raise FanousError("no lab is running: start one with `fanous lab up`")
    internet = attach(held[-1])
    point = internet.vantage_point(options.vantage)
    if not options.command:
        print(f"at {point.name}, {point.access} line of AS{point.asn}, {point.address}; leave with exit")
        print(f"sites: {', '.join(site.host for site in internet.sites)}")
    argv = internet.argv(point, options.command or [os.environ.get("SHELL", "/bin/sh")])
    sys.stdout.flush()
    os.execvp(argv[0], argv)


ScenarioArgument = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A TOML file, or the name of an included scenario.")
]
SeedOption = Annotated[int | None, typer.Option("--seed", help="Override the scenario's seed.")]


class LabRunOptions(JsonOptions):
    """Options of ``fanous lab run``."""

    name: ScenarioArgument
    seed: SeedOption = None


@lab_app.command("run")
@command
def lab_run(options: LabRunOptions) -> None:
    """Play a scenario with real packets, and compare what Fanous finds with what happened; needs root.

    The real probe measures from every vantage point and sends to the real collector and pipeline.  On a
    terminal, progress is shown live.  Exit code 1 if anything was missed or falsely detected.
    """
    from fanous_lab.evaluation.rehearsal.report import rehearsal_document, report_lines
    from fanous_lab.evaluation.rehearsal.score import score

    rehearsal = _played(chosen_scenario(options.name, options.seed), None)
    scored = score(rehearsal.scenario, rehearsal.sightings)
    if options.as_json:
        print_document(rehearsal_document(rehearsal, scored))
    else:
        for line in report_lines(rehearsal, scored):
            print(line)
    if scored.missed or scored.false:
        raise typer.Exit(1)


class LabRecordOptions(Options):
    """Options of ``fanous lab record``."""

    name: ScenarioArgument
    out: Path = option(..., "File to write, such as event.fanous.xz.", "-o", "--out", metavar="FILE")
    seed: SeedOption = None


@lab_app.command("record")
@command
def lab_record(options: LabRecordOptions) -> None:
    """Play a scenario, and save it with its measurements and what happened in one compact file."""
    import tempfile

    from fanous.base.overwrite import file_aside
    from fanous_lab.evaluation.rehearsal.capture import is_recording_of, write_recording

    scenario = chosen_scenario(options.name, options.seed)
    with (
        file_aside(options.out, lambda path: is_recording_of(path, scenario)) as aside,
        tempfile.TemporaryDirectory(prefix="fanous-record-") as folder,
    ):
        records = Path(folder) / "records.jsonl"
        rehearsal = _played(scenario, records)
        size = write_recording(aside, rehearsal, records)
    print(f"{rehearsal.stored:,} measurements in {options.out} ({size / 1000:,.0f} kB)")


def chosen_scenario(name: str, seed: int | None) -> "Scenario":
    from dataclasses import replace

    from fanous_lab.scenario import networks_registered_elsewhere, scenario

    chosen = scenario(name)
    for network, home in networks_registered_elsewhere(chosen):
        say(
            f"AS{network.asn} is registered in {home}, not in {network.country}: what its probes see counts as seen "
            f"from abroad. Use a number of {network.country}'s own, or one for documentation (64496 to 64511, 65536 to "
            "65551), which belongs to no country.",
            file=sys.stderr,
        )
    return chosen if seed is None else replace(chosen, seed=seed)


def _played(scenario: "Scenario", records: Path | None) -> "Rehearsal":
    from rich.console import Console

    from fanous_lab.evaluation.rehearsal.report import watched
    from fanous_lab.evaluation.rehearsal.run import rehearse

    with watched(scenario, Console(stderr=True)) as watcher:
        return rehearse(scenario, watcher, records)
