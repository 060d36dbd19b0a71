"""Print thirty sentences that the product makes, in the words of this checkout or of an earlier commit.

``python -m tools.sentences`` prints today's: ledes, why an incident has its status, and complaints.  With a commit it
prints what that version says about the same incidents and to the same commands, and with ``--lang ur`` the same in
another language; complaints are English.  Nothing is compared: a person has to judge which of two sentences reads
better.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from tools.compare import ROOT, Impossible, checked_out, search_path

LANGUAGES = ("en", "ur", "fa", "ar", "fr", "es")
"""Listed here, since this program runs without the product, so that it can ask an earlier version."""

TOLD = r'''
"""Runs within the version that is asked: prints {"ledes": [...], "reasons": [...]} as JSON."""
import json, sys
from dataclasses import fields
from fanous.model.incident import *
from fanous.model.place import Access
from fanous.wording.language import LANGUAGES

language, START, HOUR = LANGUAGES[sys.argv[1]], 1702824300.0, 3600.0  # 17 December 2023, 14:45 UTC
try:
    COUNTS = EvidenceCounts
except NameError:  # its name before December 2026
    COUNTS = Evidence
CODES = "reasons" in {field.name for field in fields(Incident)}
if CODES:
    from fanous.model.reason import Reason


def why(text, code, **params):
    return {"reasons": (Reason(code, params),)} if CODES else {"reason": text}


def part(target, kind=Kind.BLOCKING, *mechanisms):
    return Part(target, kind, mechanisms or ("tls.reset.sni",), ("AS59257",))


def made(**given):
    end = given.get("end", START + 3 * HOUR)
    facts = {
        "country": "PK", "kind": Kind.BLOCKING, "status": Status.ENDED, "scope": Scope.ISP, "access": Access.ANY,
        "entities": ("AS59257",), "parts": (part("x"),), "onset": START, "onset_earliest": START - 900,
        "networks": (NetworkPart("AS59257", ("x",), (Interval(START, end),), 104, 28, 0.99),),
        "onset_latest": START, "end": end, "intervals": (Interval(START, end),), "confirmed_at": START + 1800,
        "confidence": 0.95, "users": UsersShare(0.83, 0.71, 0.9, 0.94), "kbps": None, "level": None,
        "evidence": COUNTS(1412, 23, 7, 398, ("ooni",)), "rule": "C2", "rules_version": "1",
        "detector_version": "1", "id": "PK-2023-0042",
    }
    reason = why("C2: 23 independent probes on 7 networks saw it, with the outside helper as control",
                 "rule.c2", probes=23, networks=7, control="helper")
    return Incident(**(facts | reason | given))


MONDAY = 1699833600.0  # 13 November 2023
DAYS = [MONDAY + 86400 * n for n in range(12) if n % 7 < 5]
SPANS = tuple(Interval(day + h * HOUR, day + (h + 2) * HOUR) for day in DAYS for h in (5, 11))
OPEN = {"status": Status.CONFIRMED, "end": None, "intervals": (Interval(START, None),)}
UNSURE = OPEN | {"status": Status.SUSPECTED, "confirmed_at": None, "rule": ""}
NATION = {"scope": Scope.NATION, "entities": ("PK", "AS59257")}
THREE = tuple(part(one, Kind.THROTTLING, "tls.throttle.sni") for one in ("facebook", "instagram", "youtube"))
LINE = (Part("", Kind.OUTAGE, ("outage.national",), ("IR",)),)
LEDES = [
    made(),
    made(**NATION, parts=(part("x"), *THREE), kbps=Estimate(126, 120, 131)),
    made(**NATION | OPEN),
    made(**UNSURE),
    made(onset_earliest=None),
    made(onset_earliest=START - 3 * HOUR, entities=("AS59257", "AS45669", "AS24499"), scope=Scope.MULTI_ISP),
    made(confirmed_at=None),
    made(status=Status.RETRACTED),
    made(country="IR", kind=Kind.OUTAGE, scope=Scope.NATION, entities=("IR",), parts=LINE, networks=(),
         level=Estimate(0.05, 0.02, 0.1), users=None, end=START + 5 * 86400),
    made(country="KE", entities=("AS33771",), onset=SPANS[0].start, onset_earliest=SPANS[0].start - 600,
         onset_latest=SPANS[0].start, end=SPANS[-1].end, intervals=SPANS,
         networks=(NetworkPart("AS33771", ("x",), SPANS, 107, 28, 0.99),)),
]
REASONS = [
    made(),
    made(**UNSURE | why("suspected: 2 independent probes saw it; 3 are needed", "lacks.probes", probes=2, needed=3)),
    made(**UNSURE | why("suspected: nothing shows that the target worked elsewhere at the time", "lacks.control")),
    made(**UNSURE | why(
        "suspected: no two networks failed together for longer than a fault lasts: 4 independent probes in 3 hours "
        "without controls of their own saw it; 6 probes in 8 hours of one stretch on one network are needed then",
        "lacks.duration", probes=4, hours=3, probes_needed=6, hours_needed=8)),
    made(**UNSURE | why("suspected: only routing saw it, and two families of sources are needed",
                        "lacks.family", families=("routing",))),
    made(status=Status.RETRACTED, **why(
        "the platform itself was down: it began to fail in EG, IR, TR at the same time",
        "platform.down", countries=("EG", "IR", "TR"))),
    made(status=Status.RETRACTED, **why("it is no longer supported by the measurements", "not_supported")),
    made(status=Status.RETRACTED, **why("taken back by Ayesha: the platform itself was down",
                                        "withdrawn", by="Ayesha", why="the platform itself was down")),
]
try:
    from fanous.wording.narrative import because, lede
    ledes = [lede(one, language).text for one in LEDES]
    reasons = [" ".join(said.text for said in because(one, language)) for one in REASONS]
except ImportError:
    from fanous.wording.narrative import sentences
    from fanous.wording.sentence import because
    ledes = [" ".join(said.text for said in sentences(one, {}, language)) for one in LEDES]
    reasons = [because(one) for one in REASONS]
print(json.dumps({"ledes": ledes, "reasons": reasons}))
'''

COMPLAINTS: tuple[tuple[str, ...], ...] = (
    ("confirm", "XX", "--store", "{empty}"),
    ("confirm", "Pakistan", "--store", "{empty}"),
    ("confirm", "PK", "--since", "yesterday", "--store", "{empty}"),
    ("incidents", "show", "PK-1999-0001", "--store", "{empty}"),
    ("incidents", "report", "PK-1999-0001", "-o", "{folder}/out", "--lang", "xx", "--store", "{empty}"),
    ("ingest", "ooni", "{folder}/missing.jsonl", "--store", "{empty}"),
    ("ingest", "oni", "{folder}/missing.jsonl", "--store", "{empty}"),
    ("ingest", "ooni", "{picture}", "--store", "{empty}"),
    ("judge", "{folder}/missing.jsonl"),
    ("verify", "{picture}"),
    ("demo", "--once", "--store", "{others}"),
    ("confirm", "PK", "--config", "{picture}"),
)
"""Commands that a newcomer mistypes, or types in the wrong place."""


FRAME = str.maketrans("╭╮╰╯─│", "      ")
"""The box around a complaint about usage."""


class Told(NamedTuple):
    """What is printed.

    Attributes:
        asked: the command of a complaint; empty for the others.
    """

    kind: str
    text: str
    asked: str = ""


def told(tree: Path, language: str) -> list[Told]:
    """The sentences of the version in this work tree.

    Raises:
        Impossible: it cannot be asked.
    """
    done = _run(tree, "-c", TOLD, language)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise Impossible(f"the version in {tree} cannot say these sentences: {last}")
    said = json.loads(done.stdout)
    with tempfile.TemporaryDirectory(prefix="fanous-sentences-") as folder:
        complaints = _complaints(tree, Path(folder))
    return [
        *(Told("lede", text) for text in said["ledes"]),
        *(Told("reason", text) for text in said["reasons"]),
        *complaints,
    ]


def _complaints(tree: Path, folder: Path) -> list[Told]:
    places = {name: folder / name for name in ("empty", "others", "picture")} | {"folder": folder}
    places["others"].mkdir()
    (places["others"] / "thesis.odt").write_bytes(b"years of work")
    places["picture"].write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    found = []
    for words in COMPLAINTS:
        typed = [word.format(**places) for word in words]
        done = _run(tree, "-m", "fanous", *typed)
        text = " ".join((done.stderr or done.stdout).translate(FRAME).split())
        shown = " ".join(typed).replace(f"{folder}/", "")
        found.append(Told("complaint", text.replace(f"{folder}/", ""), f"fanous {shown}"))
    return found


def _run(tree: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "PYTHONPATH": search_path(tree), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=tree, capture_output=True, text=True, timeout=120
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.sentences", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("commit", nargs="?", metavar="COMMIT", help="default: this checkout")
    parser.add_argument("--lang", choices=LANGUAGES, default="en")
    given = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="fanous-sentences-") as folder:
            tree = checked_out(given.commit, Path(folder)) if given.commit else nullcontext(ROOT)
            with tree as place:
                found = told(place, given.lang)
    except Impossible as why:
        print(f"sentences: {why}", file=sys.stderr)
        return 1
    for n, one in enumerate(found, 1):
        asked = f"\n    $ {one.asked}" if one.asked else ""
        print(f"{n:2}. {one.kind}{asked}\n    {one.text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
