"""The ``fanous`` command: parses arguments, calls the pipeline, and prints.  Nothing is decided here.

stdout carries the answer (with ``--json`` one document and nothing else), stderr everything else.  Exit
codes: 0 done, 1 an error the user can fix, 2 wrong usage, 70 a bug.
"""

import os
import sys
import time
import traceback
from pathlib import Path
from typing import Annotated

import typer

from fanous import __version__
from fanous.cli.alerts import alerts_app
from fanous.cli.claims import claims_app
from fanous.cli.collect import collect, drain
from fanous.cli.common import (
    ConfigOption,
    CountryArgument,
    JsonOption,
    SinceOption,
    StoreOption,
    UntilOption,
    console,
    country_code,
    moment,
    open_named,
    print_document,
)
from fanous.cli.cost import cost
from fanous.cli.detect import detect
from fanous.cli.doctor import doctor
from fanous.cli.events import events_app
from fanous.cli.export import export
from fanous.cli.forget import forget
from fanous.cli.former import add_former
from fanous.cli.incidents import incidents_app
from fanous.cli.ingest import ingest
from fanous.cli.lab import lab_app
from fanous.cli.lab_run import lab_record, lab_run
from fanous.cli.networks import networks
from fanous.cli.orders import orders_app
from fanous.cli.probe import probe_app
from fanous.cli.pull import pull
from fanous.cli.queue import queue
from fanous.cli.refdata import refdata_app
from fanous.cli.retain import retain
from fanous.cli.run import run
from fanous.cli.scan import scan
from fanous.cli.verify import verify
from fanous.errors import FanousError
from fanous.model.instant import to_iso
from fanous.refdata.platforms import target_of

SERVER_PARTS = frozenset(
    {
        "apprise",
        "babel",
        "backports",
        "bottleneck",
        "chdb",
        "clickhouse_connect",
        "icalendar",
        "iptocc",
        "jinja2",
        "markupsafe",
        "nats",
        "numpy",
        "pybgpkit_parser",
        "resvg_py",
        "sqlalchemy",
        "starlette",
        "typst",
        "uvicorn",
        "websockets",
    }
)
"""Modules of the extra ``server``; a light probe has none of them."""

BUG = 70
"""EX_SOFTWARE of sysexits.h: the fault is ours."""

app = typer.Typer(
    name="fanous",
    help="An independent, open monitor of internet disruptions.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(probe_app, name="probe")
app.add_typer(incidents_app, name="incidents")
app.add_typer(claims_app, name="claims")
app.add_typer(events_app, name="events")
app.add_typer(alerts_app, name="alerts")
app.add_typer(refdata_app, name="refdata")
app.command()(ingest)
app.command()(pull)
app.command()(scan)
app.command()(run)
app.command()(networks)
app.command()(forget)
app.command()(retain)
app.add_typer(orders_app, name="orders")
lab_app.command("run")(lab_run)
lab_app.command("record")(lab_record)
app.command()(collect)
app.command()(drain)
app.command()(detect)
app.command()(queue)
app.command()(verify)
app.command()(cost)
app.command()(export)
app.add_typer(lab_app, name="lab")
app.command()(doctor)
add_former(app, "watch", "fanous watch", "fanous events")
add_former(app, "heard", "fanous heard", "fanous networks")
add_former(probe_app, "watch", "fanous probe watch", "fanous probe run --every 10m")


def main() -> None:
    """Entry point: turns what the user can mend into one sentence."""
    try:
        app()
    except FanousError as error:
        _complain(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        _complain("interrupted; what was acknowledged is kept, and running again completes it")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # the last stop: say that it is our fault, and how to report it
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in SERVER_PARTS:
            _complain(f"this command needs the server parts ({error.name}): pip install 'fanous[server]'")
            sys.exit(1)
        traceback.print_exc()
        _complain(f"this is a bug in fanous {__version__}; please report it with the lines above")
        sys.exit(BUG)


def _complain(text: str) -> None:
    print(f"fanous: {text}", file=sys.stderr)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"fanous {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def judge(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of OONI measurements.")],
    as_json: JsonOption = False,
) -> None:
    """Judge single measurements and explain the verdicts; no store is needed."""
    from fanous.pipeline.judge import judge_files
    from fanous.probe.notes import UNPLACED

    judged, rejects = judge_files(paths)
    if as_json:
        print_document({"measurements": list(judged)})
    else:
        for one in judged:
            print(f"{one['measurement_uid']}  {one['target'] or one['test_name']}")
            for verdict in one["verdicts"]:
                mechanism = f" {verdict['mechanism']}" if verdict["mechanism"] else ""
                mechanism += ", a symptom" if verdict["symptom"] else ""
                print(
                    f"  {verdict['state']:12} {verdict['layer'] or '-':8}{mechanism}  [{verdict['rule_id']}]"
                )
                print(f"               {verdict['why']}")
            for note in one["notes"]:
                if note != UNPLACED:
                    print(f"  note         {note}")
        if unplaced := sum(UNPLACED in one["notes"] for one in judged):
            print(f"\nOf {unplaced} of these {len(judged)} measurements {UNPLACED}.")
    for reject in rejects:
        print(f"rejected {reject}", file=sys.stderr)
    if not judged:
        raise FanousError("none of these files holds a measurement that can be judged")


@app.command()
def confirm(
    country: CountryArgument,
    target: Annotated[
        list[str] | None, typer.Option("--target", help="Only this target; may be repeated.")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is disrupted in a country: on which networks, how, from when to when, and how certain it is.

    This only reads the store: bring measurements in first with `fanous ingest`.
    """
    from fanous.cli.terminal import print_answer
    from fanous.pipeline import query
    from fanous.publish.document import incident_document

    code, targets = country_code(country), [target_of(name) for name in target or []]
    start, end = moment(since, "--since"), moment(until, "--until")
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter("--since must lie before --until")
    with open_named(store, config, read_only=True) as opened:
        answer = query.confirm(opened, code, targets, start, end)
    if not as_json:
        print_answer(console(), answer)
        return
    print_document(
        {
            "country": answer.country,
            "since": to_iso(answer.since),
            "until": to_iso(answer.until),
            "incidents": [incident_document(incident) for incident in answer.incidents],
            "insufficient": [{"target": name, "why": why} for name, why in answer.insufficient],
        }
    )


@app.command()
def signals(
    country: CountryArgument,
    at: Annotated[str | None, typer.Option("--at", help="State at this date or time; default: now.")] = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show each source's signals for a country: latest value in % of its baseline, with age and licence.

    This only reads the store: bring series in first with `fanous pull` or `fanous ingest`.
    """
    from fanous.charts.connectivity import connectivity_document, print_connectivity
    from fanous.pipeline.series import series_now

    code, then = country_code(country), moment(at, "--at")
    now = time.time() if then is None else then
    with open_named(store, config, read_only=True) as opened:
        levels = series_now(opened, code, now)
    if as_json:
        print_document(connectivity_document(code, levels, now))
    else:
        print_connectivity(console(), code, levels, now)


@app.command()
def rejudge(
    country: Annotated[str | None, typer.Argument(metavar="[CC]", help="Only this country.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what the rules of this version have already judged.")
    ] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Recompute every conclusion from the raw records, with the rules of this version."""
    from fanous.pipeline import stages

    with open_named(store, config) as opened:
        replayed = stages.rejudge(opened, country_code(country) if country else None, everything=everything)
    print(f"judged {sum(one.measurements for one in replayed):,} measurements again")
    for remark in stages.remarks(replayed):
        print(f"cannot be used: {remark}", file=sys.stderr)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the answer and exit.")] = False,
    port: Annotated[
        int, typer.Option("--port", help="Port of the pages; 0: any free port.", min=0, max=65535)
    ] = 8470,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Serve the pages without opening a browser.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Try Fanous offline on a lab event modelled on Pakistan, 17 December 2023, in a store of its own.

    Prints the answer, then serves its pages on this machine until Ctrl-C.
    """
    from fanous.cli.terminal import print_answer
    from fanous.evaluation.demo import NOTICE, demonstrate

    screen = console()
    recorded = demonstrate(screen, store, lambda answer: print_answer(screen, answer))
    if not once:
        from fanous.cli.pages import serve_recorded

        serve_recorded(recorded.folder, port, notice=NOTICE, now=recorded.until, browser=not no_browser)


@app.command()
def evaluate(
    corpus: Annotated[
        list[Path] | None, typer.Argument(metavar="CORPUS...", help="Folders that contain an events.toml.")
    ] = None,
    adversary: Annotated[
        bool,
        typer.Option(
            "--adversary", help="Instead, measure how many lying probes an attack needs (takes 15 minutes)."
        ),
    ] = False,
    calibration: Annotated[
        bool,
        typer.Option(
            "--calibration",
            help="Instead, measure how often incidents of a stated confidence are right, in simulated weeks, "
            "in the lab's truth table (--truth-table) and in the given corpora.",
        ),
    ] = False,
    truth_table: Annotated[
        Path | None, typer.Option("--truth-table", metavar="FILE", help="Truth table written by `make lab`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Replay labelled events through the live code path; report hits, misses and delays."""
    if calibration:
        _evaluate_calibration(corpus or [], truth_table, as_json)
        return
    if adversary:
        _evaluate_adversary(as_json)
        return
    if not corpus:
        raise typer.BadParameter(
            "name at least one folder, or say --adversary or --calibration", param_hint="CORPUS..."
        )
    from fanous.cli.scorecard import evaluation_document, print_evaluation
    from fanous.evaluation.evaluate import evaluate_corpora

    evaluations = evaluate_corpora(corpus)
    if as_json:
        print_document({"corpora": [evaluation_document(one) for one in evaluations]})
    else:
        print_evaluation(console(), evaluations)


def _evaluate_adversary(as_json: bool) -> None:
    from fanous.cli.adversary import attack_document, fifth_document, print_attacks, print_fifths
    from fanous.evaluation.adversary import attacks, fifths

    if as_json:
        found = {"attacks": [attack_document(attack) for attack in attacks()]}
        print_document(found | {"fifths": [fifth_document(fifth) for fifth in fifths()]})
    else:
        print_attacks(console(), attacks())
        print_fifths(console(), fifths())


def _evaluate_calibration(corpora: list[Path], truth_table: Path | None, as_json: bool) -> None:
    from fanous.cli.calibration import calibration_document, print_calibration
    from fanous.evaluation.calibration import FAULTS, of_corpora, of_lab, of_weeks

    weeks = [one for faults in FAULTS for one in of_weeks(faults)]
    found = [*([of_lab(truth_table)] if truth_table else []), *weeks, *of_corpora(corpora)]
    if as_json:
        print_document({"calibration": [calibration_document(one) for one in found]})
        return
    for one in found:
        print_calibration(console(), one)
