"""``fanous verify``: recomputes an incident from its evidence bundle."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fanous.cli.common import print_document, say
from fanous.cli.options import JsonOption, Options, StoreOption, StoreOptions, argument, command, option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanous.model.measurement import Provenance
    from fanous.model.series import SourceSeries
    from fanous.publish.evidence.recompute import RecomputeWindow
    from fanous.publish.evidence.verify import Verification

SHOWN = 20
"""Most differences, sources and versions listed on a terminal; --json has all."""

LINE = 200
"""Most characters shown of a difference: long lists are cut; --json has them whole."""

WORDS = {
    "match": "MATCH: the records give exactly this incident",
    "differs": "DIFFERS: the records do not give this incident",
    "other_versions": "NOT COMPARABLE: it was computed with other versions than this machine has",
    "withheld": "NOT COMPARABLE: the bundle withholds values, as their terms demand",
}


class VerifyOptions(Options):
    """Options of ``fanous verify``."""

    bundle: Path = argument(..., "Evidence bundle written by `fanous incidents bundle`.", metavar="BUNDLE")
    signed_by: str = option("", "Required fingerprint of the signer, or its first 32 digits.")
    series: Path | None = option(
        None,
        "A store from which to take values that the bundle withholds; each must have the bundle's digest.",
        metavar="FOLDER",
    )
    store: StoreOption = (
        None  # scripts pass it to every command; a store's content must not influence the result
    )
    as_json: JsonOption = False


@command
def verify(options: VerifyOptions) -> None:
    """Recompute an incident from its evidence bundle, offline; print MATCH or the differences.

    A bundle in which any byte has changed is refused.  No store is needed, and --store is ignored.  Bundles from public
    pages withhold values that may not be passed on: pull or ingest them yourself, and name that store with --series.
    """
    from fanous.publish.evidence.container import BundleRefused
    from fanous.publish.evidence.verify import Result, verify_apart

    try:
        done = verify_apart(
            options.bundle,
            options.signed_by,
            None if options.series is None else partial(_series_of, options.series),
        )
    except BundleRefused as why:
        if options.as_json:
            print_document({"result": "refused", "why": str(why)})
            raise typer.Exit(1) from None
        raise BundleRefused(f"REFUSED {options.bundle}: {why}") from None
    if options.as_json:
        print_document(_document(done))
    else:
        _print(done)
    if done.result is not Result.MATCH:
        raise typer.Exit(1)


def _series_of(folder: Path, window: "RecomputeWindow", provenance: "Provenance") -> "list[SourceSeries]":
    from fanous.cli.common import ask
    from fanous.publish.calls import PackSeries
    from fanous.publish.evidence.container import unpack_series

    packed = ask(
        StoreOptions(store=folder), PackSeries(window.country, window.since, window.until, provenance)
    )
    return unpack_series(packed, str(folder)).series


def _document(done: "Verification") -> dict[str, Any]:
    from fanous.publish.document import detailed_document

    return {
        "result": str(done.result),
        "incident": done.label,
        "claim": None if done.differences or done.withheld else detailed_document(done.claim),
        "differences": done.differences,
        "withheld": done.withheld,
        "versions": [{"what": what, "bundle": theirs, "here": ours} for what, theirs, ours in done.versions],
        "ledger_differences": done.ledger,
        "measurements": done.records,
        "series": done.series,
        "provenance": done.provenance,
        "synthetic": done.synthetic,
        "signed_by": done.signer,
        "user_figures": done.figures or None,
        "made_at": done.made_at,
        "made_by": done.made_by,
        "sources": done.sources,
    }


def _print(done: "Verification") -> None:
    """Print our own findings first, then the packer's statements, in quotation marks and named as theirs.

    A bundle comes from anyone: its texts could look like our lines, and name a signer who never saw it.
    """
    from fanous.base.text import quoted
    from fanous.cli.answer import standings
    from fanous.wording.language import ENGLISH
    from fanous.wording.narrative import sentence, untested_said

    first = "SYNTHETIC, a staged event. " if done.provenance.is_synthetic else ""
    say(f"{first}{WORDS[str(done.result)]}.")
    say(f"  signed by SHA256:{done.signer} (computed from the key; whether to trust that key is up to you)")
    # An incident that the records do not support could claim anything: it is not repeated as a sentence.
    if not done.differences and not done.withheld:
        say(f"  {sentence(done.claim)}")
        if untested := untested_said(done.claim, ENGLISH):
            say(f"  What else could it be: {standings(done.claim)} (--json lists them)")
            say(f"  {untested.text}")
    if done.withheld:
        say(
            "  The bundle is as it was signed. To recompute it, get these series from their sources (`fanous pull`,"
        )
        say("  `fanous ingest`) for the same days, and name the store that has them with --series:")
        for series in done.withheld[:SHOWN]:
            say(f"    {quoted(series, LINE)}")
    else:
        say(f"  recomputed from {_rests_on(done)}")
    if done.synthetic:
        say(
            f"  {done.synthetic:,} of them are synthetic: this tests the method, and is not evidence of a "
            f"real event"
        )
    if done.versions and not done.withheld:
        same = "gives the same result" if not done.differences else "gives a different result"
        say(f"  This proves nothing. Recomputing with this machine's own versions {same};")
        say("  to compare like with like, install the bundle's version and fingerprint sets.")
    for line in _stated(done):
        say(line)


def _stated(done: "Verification") -> "Iterator[str]":
    """The bundle's statements, one per line, quoted after our own words.

    How the packer's ledger differs (in seconds of its times, or by older rules) is compared with nothing: `--json` has
    it, and after MATCH it would read as a difference.
    """
    from fanous.base.text import quoted

    yield "The bundle says, in the words of whoever packed it:"
    yield f"  its label: {quoted(done.label, 40)}; made {quoted(done.made_at, 40)} by {quoted(done.made_by, 80)}"
    if done.figures:
        yield f"  computed with {quoted(done.figures)} from the bundle, not this machine's"
    for source, terms in list(done.sources.items())[:SHOWN]:
        licence, credit = quoted(terms["licence"]), quoted(terms["attribution"])
        yield f"  source {quoted(source, 40)}: licence {licence}; attribution {credit}"
    for what, theirs, ours in done.versions[:SHOWN]:
        yield f"  {quoted(what, 80)}: {quoted(theirs)} in the bundle, {quoted(ours)} here"
    for line in done.differences[:SHOWN]:
        yield f"  claimed {quoted(line, LINE)}"
    counts = (len(done.sources), len(done.versions), len(done.differences), len(done.withheld))
    if more := sum(max(count - SHOWN, 0) for count in counts):
        yield f"  ... and {more} more (--json lists them)"


def _rests_on(done: "Verification") -> str:
    counts = (done.records, "measurements"), (done.series, "quantity series")
    return " and ".join(f"{n:,} {what}" for n, what in counts if n) or "nothing"
