"""``fanous incidents``: list incidents, show one, report on it, and pack its evidence."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fanous.base.text import one_line
from fanous.cli.common import (
    act,
    ask,
    console,
    country_code,
    language_given,
    moment,
    print_document,
    say,
    tell,
)
from fanous.cli.options import (
    JsonOptions,
    LangOption,
    OneCountry,
    Options,
    ReadOptions,
    StoreOptions,
    TimeOptions,
    WhyOption,
    argument,
    command,
    option,
)
from fanous.model.instant import to_iso

if TYPE_CHECKING:
    from fanous.base.overwrite import Recognises
    from fanous.model.incident import Incident
    from fanous.questions.claims import Lacking

LOCAL = "http://127.0.0.1:8470"
"""Default address of the pages, on the user's own machine, for the links of a report."""

incidents_app = typer.Typer(
    help="List, show, report and approve incidents, and pack their evidence.", no_args_is_help=True
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="ID of the incident, such as PK-2023-0001.")]
ByOption = Annotated[
    str, typer.Option("--by", help="Who decides: a role such as 'duty editor', or a name. It is published.")
]


class IncidentsListOptions(TimeOptions, ReadOptions):
    """Options of ``fanous incidents list``."""

    country: OneCountry = None


@incidents_app.command("list")
@command
def incidents_list(options: IncidentsListOptions) -> None:
    """List all incidents by onset, including retracted ones."""
    from fanous.questions.listings import ListIncidents

    code = country_code(options.country) if options.country else None
    incidents = ask(
        options, ListIncidents(code, moment(options.since, "--since"), moment(options.until, "--until"))
    )
    if options.as_json:
        from fanous.publish.document import incident_document

        print_document({"incidents": [incident_document(incident) for incident in incidents]})
        return
    if sys.stdout.isatty():
        from fanous.cli.answer import incident_list

        console().print(incident_list(incidents))
    else:  # one line each, for programs that read lines
        from fanous.wording.narrative import sentence

        for incident in incidents:
            say(f"{incident.id}  {incident.status:9}  {sentence(incident)}")
    if not incidents:
        say("no incidents")


class IncidentsShowOptions(ReadOptions):
    """Options of ``fanous incidents show``."""

    incident_id: IdArgument
    why: WhyOption = False


@incidents_app.command("show")
@command
def incidents_show(options: IncidentsShowOptions) -> None:
    """Show one incident: what was measured on each network, and every revision."""
    from fanous.cli.answer import hint_lines, incident_text
    from fanous.publish.document import (
        detailed_document,
        hints_document,
        known_document,
        policing_document,
        revision_document,
        sensitivity_document,
    )
    from fanous.publish.witnesses import witness_lines, witnesses_document
    from fanous.questions.incident import ShowIncident
    from fanous.refdata.networks import network_title
    from fanous.wording.language import ENGLISH
    from fanous.wording.reasons import reasons_text
    from fanous.wording.sensitivity import would_be_seen

    found = ask(options, ShowIncident(options.incident_id))
    incident, seen_by, slowed = found.incident, tuple(found.witnesses), found.slowed_how
    history = [revision_document(revision) for revision in found.revisions]
    if options.as_json:
        how = {"slowed_how": None if slowed is None else policing_document(slowed)}
        told = detailed_document(incident) | known_document(found.known_until)
        told |= witnesses_document(seen_by) | how
        told |= hints_document([*incident.hints, *found.hints]) | {"lacking": asdict(found.lacking)}
        told |= sensitivity_document(found.unnamed)
        print_document(told | {"revisions": history})
        return
    console().print(incident_text(incident, found.names, found.known_until, why=options.why))
    for line in hint_lines(found.hints):
        say(f"  {line}")
    if slowed is not None:
        say(f"  {reasons_text([slowed.reason])}")
    for line in _lines_of_lacking(found.lacking):
        say(line)
    if found.unnamed:
        print("\nNetworks that it does not name")
    for network in found.unnamed:
        name = one_line(f"AS{network.asn} {network_title(network.asn, found.names)}".strip())
        say(f"  {name}: {would_be_seen(network, ENGLISH).text}")
    print("\nWho saw what")
    for line in witness_lines(seen_by):
        say(f"  {line}")
    print("\nRevisions")
    for document in history:
        say(f"  {document['n']}. {document['at']}  {document['status']}: {document['reason']}")


def _lines_of_lacking(wanted: "Lacking") -> list[str]:
    """How people there could settle the suspicion."""
    if not wanted.networks:
        return []
    lines = ["", "More measurements would settle it, from these networks"]
    for network in wanted.networks:
        share = "" if network.share is None else f", {network.share:.0%} of users"
        lines.append(f"  AS{network.asn} {network.name}{share}: {network.measurements} so far")
    return [
        *lines,
        "  Someone there can open this link on a phone with OONI Probe:",
        f"  {wanted.run_link}",
        f"  or run: {wanted.command}",
        "  Measuring can be dangerous: explain the risks before you ask anyone to do it (docs/ethics.md).",
    ]


class IncidentsReportOptions(ReadOptions):
    """Options of ``fanous incidents report``."""

    incident_id: IdArgument
    out: Path = option(
        ..., "Folder to write to: new, empty, or written by this command before.", "-o", "--out"
    )
    lang: LangOption = "en"
    url: str = option(
        "",
        "Public URL of the pages; every figure in the report links to it.  By default `url` in the `web` "
        "table of the configuration, or this machine's own address, which no other machine can open.",
        show_default=False,
    )


@incidents_app.command("report")
@command
def incidents_report(options: IncidentsReportOptions) -> None:
    """Write a report as self-contained HTML, PDF and Markdown, with a chart, a post and a text message."""
    from fanous.base.overwrite import check_folder_of_files
    from fanous.config import section
    from fanous.publish.calls import WriteReport
    from fanous.web.settings import SiteSettings

    language = language_given(options.lang)
    check_folder_of_files(options.out)
    address = (options.url or section(options.config, "web", SiteSettings).url).rstrip("/")
    done = ask(
        options, WriteReport(options.incident_id, language.code, address or LOCAL, options.out.absolute())
    )
    message, files = done.message, [str(options.out / path.name) for path in done.files]
    if not address:
        say(
            f"its links lead to {LOCAL}, which only this machine can open: before you send the report, write it again "
            "with --url, or set `url` in [web] of the configuration",
            file=sys.stderr,
        )
    if options.as_json:
        counted = {"alphabet": message.alphabet, "places": message.places, "messages": message.messages}
        print_document({"files": files, "sms": counted})
        return
    for name in files:
        say(name)
    say(f"the text message needs {message.messages} SMS ({message.places} characters of {message.alphabet})")


class IncidentsBundleOptions(ReadOptions):
    """Options of ``fanous incidents bundle``."""

    incident_id: IdArgument
    out: Path = option(..., "File to write.", "-o", "--out")
    key: Path | None = option(
        None, "Ed25519 key (PEM); default: your own, made by `fanous incidents key --new`."
    )
    public: bool = option(
        False, "Give digests instead of values that may not be passed on, as public pages do."
    )


@incidents_app.command("bundle")
@command
def incidents_bundle(options: IncidentsBundleOptions) -> None:
    """Pack the evidence behind an incident, redacted and signed; `fanous verify` recomputes it anywhere."""
    from fanous.base.overwrite import file_aside
    from fanous.config import data_folder
    from fanous.publish.calls import GatherEvidence
    from fanous.publish.evidence.pack import pack
    from fanous.publish.signer import KEY_FILE, signer_at

    label = options.incident_id.upper()
    signer = signer_at(options.key or data_folder() / KEY_FILE)
    with file_aside(options.out, _bundle_of(label, signer.public)) as aside:
        gathered = ask(options, GatherEvidence(label))
        packed = pack(gathered, aside, signer, time.time(), public=options.public)
    if options.as_json:
        print_document(
            {
                "file": str(options.out),
                "bytes": packed.bytes,
                "records": packed.records,
                "controls": packed.controls,
                "series": packed.series,
                "closed": list(gathered.closed),
                "signed_by": packed.key,
                "ledger_differences": packed.differences,
            }
        )
        return
    say(f"{options.out}: {packed.bytes:,} bytes")
    say(f"  {packed.records:,} measurements of the country, {packed.controls:,} of others as controls")
    if packed.series:
        say(f"  {packed.series:,} quantity series of the country; sources.json gives their terms")
    if gathered.closed:
        closed = ", ".join(gathered.closed)
        say(
            f"  values of {closed} are left out, since they may not be passed on; their digests are included"
            if options.public
            else f"  values of {closed} may not be passed on: use --public for a bundle that you give to others"
        )
    say(f"  signed by SHA256:{packed.key}")
    if packed.differences:
        say("  recomputed for the bundle (times in minutes, today's rules), it differs from the ledger:")
    for line in packed.differences:
        say(f"    {line}")
    say(f"Anyone with the file can check it: fanous verify {options.out}")


class IncidentsKeyOptions(JsonOptions):
    """Options of ``fanous incidents key``."""

    new: bool = option(False, "Make the key; one that exists is never replaced.")
    key: Path | None = option(None, "File of the key; default: your own key.", metavar="FILE")


@incidents_app.command("key")
@command
def incidents_key(options: IncidentsKeyOptions) -> None:
    """Show the fingerprint of the key that signs evidence bundles, or make that key.

    Publish the fingerprint, so that readers can tell your bundles from others', and keep a copy of the file elsewhere.
    """
    from fanous.config import data_folder
    from fanous.publish.signer import KEY_FILE, fingerprint, make_key, signer_at

    path = options.key or data_folder() / KEY_FILE
    digits = fingerprint((make_key(path) if options.new else signer_at(path)).public)
    tell(options.as_json, {"file": str(path), "fingerprint": digits}, [f"SHA256:{digits}", f"  {path}"])


class IncidentsSignerOptions(Options):
    """Options of ``fanous incidents signer``."""

    key: Path | None = option(None, "File of the key; default: your own key.", metavar="FILE")


@incidents_app.command("signer")
@command
def incidents_signer(options: IncidentsSignerOptions) -> None:
    """Hold the key in a separate process, which signs digests for this user's other processes until it is stopped.

    `fanous run` starts one by itself.  As a separate service it runs as a user of its own: it takes its socket from
    systemd, and the key in the settings of the pages is the path of that socket.  Otherwise it listens next to the key.
    """
    from fanous.config import data_folder
    from fanous.publish.signer import (
        KEY_FILE,
        listening_at,
        passed_socket,
        serve_until_stopped,
        socket_beside,
    )

    path = options.key or data_folder() / KEY_FILE
    listening = passed_socket() or listening_at(socket_beside(path))
    serve_until_stopped(listening, path)


def _bundle_of(label: str, signer: str) -> "Recognises":
    """Recognises an undamaged bundle of this incident that was signed with this key (public half, hex)."""
    import msgspec

    from fanous.publish.evidence import manifest
    from fanous.publish.evidence.container import read_parts

    def is_ours(path: Path) -> bool:
        parts = read_parts(path)
        signed_by = manifest.checked(parts).key
        return signed_by == signer and msgspec.json.decode(parts[manifest.LEDGER])["id"] == label

    return is_ours


class IncidentsApproveOptions(StoreOptions):
    """Options of ``fanous incidents approve``."""

    incident_id: IdArgument
    by: ByOption
    note: str = option("", "The reviewer's note; published.")


@incidents_app.command("approve")
@command
def incidents_approve(options: IncidentsApproveOptions) -> None:
    """Approve an incident held for review; the ledger keeps who approved it and when."""
    from fanous.pipeline.actions import Approve

    _say_decided(act(options, Approve(options.incident_id.upper(), options.by, options.note)))


class IncidentsHoldOptions(StoreOptions):
    """Options of ``fanous incidents hold``."""

    incident_id: IdArgument
    by: ByOption
    reason: str = option("", "Why; published.", "--reason", "--note")


@incidents_app.command("hold")
@command
def incidents_hold(options: IncidentsHoldOptions) -> None:
    """Hold an incident: it stays suspected until it is approved, whatever is measured."""
    from fanous.pipeline.actions import Hold

    _say_decided(act(options, Hold(options.incident_id.upper(), options.by, options.reason)))


class IncidentsRetractOptions(StoreOptions):
    """Options of ``fanous incidents retract``."""

    incident_id: IdArgument
    by: ByOption
    reason: str = option(..., "Why; published with the retraction.")


@incidents_app.command("retract")
@command
def incidents_retract(options: IncidentsRetractOptions) -> None:
    """Retract an incident for good; its history stays, and every channel that carried it is told."""
    from fanous.pipeline.actions import Retract

    _say_decided(act(options, Retract(options.incident_id.upper(), options.by, options.reason)))


class IncidentsNoteOptions(StoreOptions):
    """Options of ``fanous incidents note``."""

    incident_id: IdArgument
    by: ByOption
    note: str = option(..., "The note, which replaces any earlier one; empty: remove it.")


@incidents_app.command("note")
@command
def incidents_note(options: IncidentsNoteOptions) -> None:
    """Add a note for readers to an incident."""
    from fanous.pipeline.actions import Annotate

    _say_decided(act(options, Annotate(options.incident_id.upper(), options.by, options.note)))


class IncidentsNameOptions(StoreOptions):
    """Options of ``fanous incidents name``."""

    incident_id: IdArgument
    by: ByOption
    reason: str = option("", "Why; kept with the decision.")


@incidents_app.command("name")
@command
def incidents_name(options: IncidentsNameOptions) -> None:
    """Release the names of an incident's sites that are on no list, here and wherever they are measured.

    Until then readers see country, kind and times alone, and no feed or alert has it: anyone can measure any name, so
    it may be an address, a telephone number or a lure.  Look at each name first.
    """
    from fanous.pipeline.actions import NameTargets

    _say_decided(act(options, NameTargets(options.incident_id.upper(), options.by, options.reason)))


class IncidentsMergeOptions(StoreOptions):
    """Options of ``fanous incidents merge``."""

    incident_id: IdArgument
    into: str = option(..., "The incident to merge it into.", metavar="ID")
    by: ByOption
    reason: str = option(..., "Why they are one event; published.")


@incidents_app.command("merge")
@command
def incidents_merge(options: IncidentsMergeOptions) -> None:
    """Merge an incident into another, because both are the same event; later detections keep them merged."""
    from fanous.pipeline.actions import Merge

    _say_decided(
        act(options, Merge(options.incident_id.upper(), options.into.upper(), options.by, options.reason))
    )


class IncidentsRoleOptions(StoreOptions):
    """Options of ``fanous incidents role``."""

    name: str = argument(..., "The person's name, as they signed.", metavar="NAME")
    role: str = option(..., "The role to show, such as 'the duty editor'.")


@incidents_app.command("role")
@command
def incidents_role(options: IncidentsRoleOptions) -> None:
    """Show a role instead of this person's name wherever they signed, in earlier revisions too."""
    from fanous.pipeline.actions import NameRole

    say(f"{options.name} is shown as: {act(options, NameRole(options.name, options.role))}")


def _say_decided(incident: "Incident") -> None:
    from fanous.wording.narrative import sentence

    say(f"{incident.id}  {incident.status}  {sentence(incident)}")


class IncidentsCorrectionsOptions(ReadOptions):
    """Options of ``fanous incidents corrections``."""

    country: OneCountry = None


@incidents_app.command("corrections")
@command
def incidents_corrections(options: IncidentsCorrectionsOptions) -> None:
    """List incidents that were retracted or narrowed, with the reasons; newest first."""
    from fanous.publish.document import correction_document
    from fanous.questions.claims import ListCorrections, by_month
    from fanous.wording.language import ENGLISH
    from fanous.wording.reasons import corrected

    code = country_code(options.country) if options.country else None
    corrections = ask(options, ListCorrections(code))
    if options.as_json:
        listed = [correction_document(correction) for correction in corrections]
        print_document({"by_month": dict(by_month(corrections)), "corrections": listed})
        return
    for correction in corrections:
        staged = "[Synthetic] " if correction.provenance.is_synthetic else ""
        what = corrected(correction.taken_back, correction.reasons, ENGLISH)
        say(f"{to_iso(correction.at)}  {correction.incident}  {staged}{what}")
    if not corrections:
        say("no corrections: nothing that was published has been withdrawn")
