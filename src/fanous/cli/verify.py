"""``fanous verify``: recomputes an incident from its evidence bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fanous.cli.common import JsonOption, StoreOption, print_document

if TYPE_CHECKING:
    from fanous.publish.evidence.verify import Verification

SHOWN = 20
"""Lines of differences that a terminal gets; --json has all."""

WORDS = {
    "match": "MATCH: the records amount to exactly this claim",
    "differs": "DIFFERS: the records do not amount to this claim",
    "other_versions": "NOT COMPARABLE: it was computed with other versions than this machine has",
}


def verify(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="Evidence bundle written by `fanous incidents bundle`.")
    ],
    signed_by: Annotated[
        str, typer.Option("--signed-by", help="Required fingerprint of the signer, or its first digits.")
    ] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute an incident from its evidence bundle, offline; print MATCH or the differences.

    A bundle in which any byte has changed is refused.  No store is needed, and --store is ignored.
    """
    del store  # scripts give it to every command; what is in a store must not decide here
    from fanous.publish.evidence.container import BundleRefused
    from fanous.publish.evidence.verify import Result
    from fanous.publish.evidence.verify import verify as check

    try:
        done = check(bundle, signed_by)
    except BundleRefused as why:
        if as_json:
            print_document({"result": "refused", "why": str(why)})
            raise typer.Exit(1) from None
        raise BundleRefused(f"REFUSED {bundle}: {why}") from None
    if as_json:
        print_document(_document(done))
    else:
        _print(done)
    if done.result is not Result.MATCH:
        raise typer.Exit(1)


def _document(done: "Verification") -> dict[str, Any]:
    from fanous.publish.document import detailed_document

    return {
        "result": str(done.result),
        "incident": done.label,
        "claim": None if done.differences else detailed_document(done.claim),
        "differences": done.differences,
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
    from fanous.wording.narrative import sentence

    first = "SYNTHETIC, a staged event. " if done.provenance.is_synthetic else ""
    print(f"{first}{WORDS[str(done.result)]}.")
    # A claim that nothing bears out may say anything: it is not repeated as a sentence.
    print(f"  {done.label[:40]!r}" if done.differences else f"  {done.label}: {sentence(done.claim)}")
    print(f"  computed again from {_rests_on(done)}; made {done.made_at} by {done.made_by}")
    if done.synthetic:
        print(f"  {done.synthetic:,} of them are synthetic: this proves a method, no event")
    print(f"  signed by SHA256:{done.signer} (whether you trust that key, no file can tell you)")
    if done.figures:
        print(f"  computed with {done.figures}, as the bundle has them: not those of this machine")
    for source, terms in done.sources.items():
        print(f"  {source}: {terms['licence']}; {terms['attribution']}")
    for line in done.ledger:
        print(f"  the packer's ledger says otherwise (it has seconds): {line}")
    for what, theirs, ours in done.versions[:SHOWN]:
        print(f"  {what}: {theirs} in the bundle, {ours} here")
    if done.versions:
        same = "comes to the same" if not done.differences else "differs"
        print(f"  Nothing is proved by that. What this machine computes with its own versions {same};")
        print("  install the version and the fingerprint sets of the bundle to compare like with like.")
    for line in done.differences[:SHOWN]:
        print(f"  claimed {line}")
    if len(done.differences) > SHOWN:
        print(f"  ... and {len(done.differences) - SHOWN} more (--json lists them)")


def _rests_on(done: "Verification") -> str:
    counts = (done.records, "measurements"), (done.series, "ready-made series")
    return " and ".join(f"{n:,} {what}" for n, what in counts if n) or "nothing"
