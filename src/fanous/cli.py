"""Command line: parses words, calls the pipeline, prints.  Nothing is decided here.

stdout carries the answer (with ``--json`` one document and nothing else), stderr all the rest.  Exit codes:
0 done, 1 the user can mend it, 2 wrong usage, 70 a bug.
"""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from fanous import __version__
from fanous.errors import FanousError
from fanous.model.instant import from_iso, to_iso
from fanous.refdata.countries import is_country
from fanous.refdata.platforms import target_of

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
incidents_app = typer.Typer(help="Incidents in the ledger.", no_args_is_help=True)
app.add_typer(incidents_app, name="incidents")

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", envvar="FANOUS_STORE", help="Folder that holds the store.", show_default=False),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="TOML file with a [store] table.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout and nothing else.")]
CountryArgument = Annotated[str, typer.Argument(metavar="CC", help="Country code, such as PK.")]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Date or time; UTC unless it says otherwise.")
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Likewise; not included.")]


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
    except Exception:  # the last stop: say that it is our fault, and how to report it
        traceback.print_exc()
        _complain(f"this is a bug in fanous {__version__}; please report it with the lines above")
        sys.exit(BUG)


def _complain(text: str) -> None:
    print(f"fanous: {text}", file=sys.stderr)


def _out(document: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    sys.stdout.buffer.flush()


@contextmanager
def _store(store: Path | None, config: Path | None, *, read_only: bool = False) -> Iterator[Any]:
    """The store that the options name, open for this command."""
    from fanous.config import store_place
    from fanous.store import open_store

    with open_store(store_place(store, config), read_only=read_only) as opened:
        yield opened


def _moment(text: str | None, option: str) -> float | None:
    if text is None:
        return None
    try:
        return from_iso(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date or time: 2023-12-17 or 2023-12-17T15:00Z", param_hint=option
        ) from None


def _country(code: str) -> str:
    upper = code.upper()
    if not is_country(upper):
        raise typer.BadParameter(f"{code!r} is not a country code (ISO 3166-1, such as PK)", param_hint="CC")
    return upper


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
def ingest(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="ooni or ooni-csv.")],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files of that source.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring files into the store, judge them and detect.

    ooni: measurements as .jsonl, .jsonl.gz or .tar.gz of POST bodies, any nettest.  ooni-csv: tables of
    OONI observations, .csv or .csv.gz.  Doing it again changes nothing; an interrupted run is completed by
    running it again.
    """
    from fanous import pipeline
    from fanous.progress import file_progress

    with _store(store, config) as opened, file_progress(paths) as moved:
        tally = pipeline.ingest(opened, source, paths, moved)
    if as_json:
        _out(
            {
                "read": tally.read,
                "stored": tally.stored,
                "duplicate": tally.duplicate,
                "rejected": tally.rejected,
                "rejects": [{"file": r.file, "line": r.line, "why": r.why} for r in tally.rejects],
            }
        )
        return
    print(
        f"read {tally.read:,}: stored {tally.stored:,}, already there {tally.duplicate:,}, "
        f"rejected {tally.rejected:,}"
    )
    for name, count in tally.by_test.most_common():
        print(f"  {count:,} {name}")
    for reject in tally.rejects[:20]:
        print(f"rejected {reject.file}:{reject.line}: {reject.why}", file=sys.stderr)
    if tally.rejected > 20:
        print(f"... and {tally.rejected - 20:,} more (--json lists them)", file=sys.stderr)


@app.command()
def judge(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="OONI measurements.")],
    as_json: JsonOption = False,
) -> None:
    """Say what single measurements show, and why; no store is needed."""
    from fanous.judging import judge_files

    judged, rejects = judge_files(paths)
    if as_json:
        _out({"measurements": list(judged)})
    else:
        for one in judged:
            print(f"{one['measurement_uid']}  {one['target'] or one['test_name']}")
            for verdict in one["verdicts"]:
                mechanism = f" {verdict['mechanism']}" if verdict["mechanism"] else ""
                print(
                    f"  {verdict['state']:12} {verdict['layer'] or '-':8}{mechanism}  [{verdict['rule_id']}]"
                )
                print(f"               {verdict['why']}")
    for reject in rejects:
        print(f"rejected {reject}", file=sys.stderr)
    if rejects and not judged:
        raise FanousError("none of these files holds a measurement that can be judged")


@app.command()
def confirm(
    country: CountryArgument,
    target: Annotated[list[str] | None, typer.Option("--target", help="Only these; may be repeated.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What is disrupted there: on which networks, by which method, from when to when, and how sure.

    It only reads: bring measurements in first with `fanous ingest`.
    """
    from fanous import pipeline
    from fanous.publishers.document import incident_document
    from fanous.publishers.terminal import print_answer

    code, targets = _country(country), [target_of(name) for name in target or []]
    start, end = _moment(since, "--since"), _moment(until, "--until")
    if start is not None and end is not None and start >= end:
        raise typer.BadParameter("--since must lie before --until")
    with _store(store, config, read_only=True) as opened:
        answer = pipeline.confirm(opened, code, targets, start, end)
    if not as_json:
        print_answer(_console(), answer)
        return
    _out(
        {
            "country": answer.country,
            "since": to_iso(answer.since),
            "until": to_iso(answer.until),
            "incidents": [incident_document(incident) for incident in answer.incidents],
            "insufficient": [{"target": name, "why": why} for name, why in answer.insufficient],
        }
    )


def _console() -> Console:
    """Plain where nobody looks: no colour codes in a file, and lines as long as they need."""
    return Console() if sys.stdout.isatty() else Console(width=120, no_color=True, highlight=False)


@app.command()
def rejudge(
    country: Annotated[str | None, typer.Argument(metavar="[CC]", help="Only this country.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what the rules of this version judged already.")
    ] = False,
    store: StoreOption = None,
    config: ConfigOption = None,
) -> None:
    """Compute every conclusion again from the raw records, with the rules of this version."""
    from fanous import pipeline

    with _store(store, config) as opened:
        replayed = pipeline.rejudge(opened, _country(country) if country else None, everything=everything)
    print(f"judged {sum(one.measurements for one in replayed):,} measurements again")


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the answer and end.")] = False,
    store: StoreOption = None,
) -> None:
    """The main job on a made-up event after Pakistan, 17 December 2023: offline, in a store of its own."""
    from fanous.demonstration import demonstrate

    demonstrate(_console(), store)
    if not once:
        print("This version has no pages to serve yet, so it ends here.", file=sys.stderr)


@app.command()
def evaluate(
    corpus: Annotated[list[Path], typer.Argument(metavar="CORPUS...", help="Folders with an events.toml.")],
    as_json: JsonOption = False,
) -> None:
    """Replay labelled events through the live code path: what was found, missed, and how late."""
    from fanous.evaluate import evaluate_corpora
    from fanous.publishers.scorecard import evaluation_document, print_evaluation

    evaluations = evaluate_corpora(corpus)
    if as_json:
        _out({"corpora": [evaluation_document(one) for one in evaluations]})
    else:
        print_evaluation(_console(), evaluations)


@incidents_app.command("list")
def incidents_list(
    country: Annotated[str | None, typer.Argument(metavar="[CC]", help="Only this country.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """All incidents, retracted ones included, by onset."""
    from fanous.publishers.document import incident_document
    from fanous.publishers.sentence import sentence

    code = _country(country) if country else None
    with _store(store, config, read_only=True) as opened:
        found = opened.incidents(code, _moment(since, "--since"), _moment(until, "--until"))
    if as_json:
        _out({"incidents": [incident_document(incident) for incident in found]})
        return
    for incident in found:
        print(f"{incident.id}  {incident.status:9}  {sentence(incident)}")
    if not found:
        print("no incidents")


@incidents_app.command("show")
def incidents_show(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="Such as PK-2023-0001.")],
    store: StoreOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """One incident with what each network saw and every revision of the claim."""
    from fanous.publishers.document import detailed_document
    from fanous.publishers.terminal import incident_text

    with _store(store, config, read_only=True) as opened:
        incident = opened.incident(incident_id.upper())
        if incident is None:
            raise FanousError(f"no incident {incident_id} in this store; `fanous incidents list` names them")
        revisions = opened.revisions(incident.id)
        names = opened.networks(incident.country)
    history = [
        {"n": r.n, "at": to_iso(r.at), "status": str(r.incident.status), "reason": r.reason}
        for r in revisions
    ]
    if as_json:
        _out(detailed_document(incident) | {"revisions": history})
        return
    _console().print(incident_text(incident, names))
    print("\nRevisions")
    for one in history:
        print(f"  {one['n']}. {one['at']}  {one['status']}: {one['reason']}")
