"""Reasons: each code has a sentence in every language, and nothing in the code reads text for people."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from fanous.analysis.coverage import MEASURES
from fanous.analysis.events import Timing
from fanous.analysis.policing import SlownessCause
from fanous.analysis.series.silence import CollapseReading
from fanous.model.incident import Kind
from fanous.model.reason import Param, Reason, as_written
from fanous.wording import ENGLISH, LANGUAGES, Language, reasons
from fanous.wording.reasons import GONE, REASONS, corrected, gone_texts, reasons_said, reasons_text
from tests.each import each

SOURCE = Path(reasons.__file__).resolve().parents[1]

PARAMS: dict[str, Param] = {
    "after": "isp",
    "ahead": 7200,
    "all": 12,
    "deliverers": ("ioda", "cloudflare"),
    "as_bad": 1,
    "at_least": 3,
    "at": 1_702_824_300.0,
    "best": 7.3,
    "basis": "one_publisher",
    "before": "nation",
    "by": "Ayesha",
    "control": "helper",
    "countries": ("EG", "IR", "TR"),
    "working": ("DE", "FR"),
    "days": 28,
    "entities": ("PK", "PK-PB"),
    "exam": "the baccalaureate",
    "failing": 3,
    "affected": 4,
    "fewer": 2,
    "families": ("routing", "usage"),
    "shared": ("geolocation:registries", "geolocation:ioda"),
    "from": ("AS1", "AS2"),
    "hours": 3,
    "high": 0.9,
    "hours_needed": 8,
    "incident": "PK-2023-0001",
    "incidents": ("PK-2023-0001", "PK-2023-0002"),
    "kbps": 126.2,
    "kinds": ("blocking",),
    "lead": 43_200,
    "resolvers": ("AS15169",),
    "sites": 3,
    "least": 7,
    "left": 0.005,
    "left_out": ("AS52140", "AS142578"),
    "low": 0.004,
    "highest": 0.9,
    "lowest": 0.004,
    "measured": 20,
    "measurements": 412,
    "mechanisms": ("quic.drop",),
    "most": 9.5,
    "n": 12,
    "name": "microsoft.com",
    "needed": 3,
    "neighbours": ("shop.example",),
    "networks": ("AS1", "AS2"),
    "note": "read it twice",
    "others": 2,
    "others_began": 3,
    "own": 0.12,
    "part": "t.co",
    "probes": 6,
    "probes_needed": 6,
    "products": ("search", "maps"),
    "release": "whatsapp 0.9.0",
    "runs": 3,
    "scope": "nation",
    "share": 0.6,
    "share_with_them": 0.74,
    "share_failing": 0.98,
    "series": ("bgp (ioda)",),
    "shown_by": "ooni",
    "slope": 0.1,
    "slope_high": 0.4,
    "slope_low": -0.2,
    "software": "ooniprobe 3.19",
    "some": 5,
    "sources": ("ioda bgp",),
    "stated": 1_702_828_800.0,
    "stated_hours": 7,
    "status": "suspected",
    "target": "telegram",
    "targets": ("x",),
    "test_runs": 12,
    "times": 3,
    "usual": 0.01,
    "window": 54_000,
    "off": 180,
    "worst": 0.034,
    "years": (2016, 2024),
    "why": "the platform itself was down",
    "rules": "1",
    "detectors": "2",
}


@lru_cache(maxsize=1)
def trees() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text("utf-8")) for file in SOURCE.rglob("*.py")}


@lru_cache(maxsize=1)
def made() -> list[tuple[str, str, tuple[str, ...] | None]]:
    """(file, code, parameters) of each reason that the code makes; None = who makes it is tested with its words."""
    found = []
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and node.args):
                continue
            first, *more = node.args
            if isinstance(first, ast.Constant):
                names: tuple[str, ...] | None = () if not more else None
                if more and isinstance(more[0], ast.Dict):
                    names = tuple(str(key.value) for key in more[0].keys if isinstance(key, ast.Constant))
                found.append((file.name, str(first.value), names))
    return found


@each("language", LANGUAGES.values(), ids=lambda language: language.code)
@each("code", sorted({*REASONS, *GONE} - {"approved.note"}))
def test_a_reason_is_a_sentence_in_every_language(code: str, language: Language) -> None:
    text = REASONS.get(code) or GONE[code]
    places = set(re.findall(r"{(\w+)}", text if isinstance(text, str) else text[1]))
    given = {name: PARAMS[name] for name in places}
    given["country"] = "PK"
    if code == "rule.c2":
        given["networks"] = 3
    if "from" in places:
        given["others"] = 2
    one = Reason(code, given)
    said = reasons_text([one], language) if code in REASONS else gone_texts([one], language)[0]
    assert "{" not in said
    assert language.code == "en" or said != (reasons_text([one]) if code in REASONS else gone_texts([one])[0])


def test_every_answer_of_an_enumeration_has_its_sentence() -> None:
    blind = {f"blind.{family}" for family, kinds in MEASURES.items() if set(kinds) != set(Kind)}
    codes = {f"event.{timing}" for timing in Timing} | {f"slow.{cause}" for cause in SlownessCause}
    codes |= {f"silence.{reading}" for reading in CollapseReading} | {f"claim.seen.{kind}" for kind in Kind}
    assert sorted((codes | blind) - set(REASONS)) == []


def test_times_are_said_on_the_clock_of_the_country_and_shares_as_finely_as_they_matter() -> None:
    began = Reason("claim.began_before", {"at": PARAMS["at"], "stated": PARAMS["stated"], "country": "PK"})
    assert reasons_text([began]) == (
        "It was under way by 17 December 2023, 19:45 PKT (14:45 UTC), before the time claimed (17 December 2023, "
        "21:00 PKT (16:00 UTC))."
    )
    left = Reason("level.left", {"left": 0.004, "low": 0.002, "high": 0.02})
    assert reasons_text([left]) == "less than 1% of the usual level was left (less than 1% to 2%)."
    compared = Reason("compare.days", {"n": 1, "own": 0.125, "usual": 0.005, "worst": 0.005, "as_bad": 0})
    assert reasons_text([compared]) == (
        "12.5% of the measurements failed during the event, and 0.5% in the same hours of 1 other day."
    )


def test_shares_are_of_networks_where_no_user_figures_are_known() -> None:
    shares = {"low": 0.4, "high": 0.6}
    known = Reason("claim.users", shares | {"country": "PK"})
    assert reasons_text([known]) == "Between 40% and 60% of users were affected."
    assert "of networks" in reasons_text([Reason("claim.users", shares | {"country": "XX"})])


def test_what_a_rule_said_is_translated_by_its_id_and_else_stays_english() -> None:
    told: dict[str, Param] = {"why": "Written by an older version.", "some": 2, "all": 4}
    other = Reason("not_judged", told | {"rule": "tcp.of_before"})
    (said,) = reasons_said([other], LANGUAGES["fr"])
    assert (said.text, said.language) == (
        "Written by an older version. That applies to 2 of 4 measurements.",
        ENGLISH,
    )


def test_units_are_those_of_the_evidence() -> None:
    two = [Reason("lacks.probes", {"probes": 2, "needed": 3})]
    assert reasons_text(two) == (
        "Too little evidence: the rules can use only 2 independent probes, and at least 3 are needed."
    )
    assert "only 2 test runs" in reasons_text(two, ENGLISH, "test_runs")
    none = [Reason("slow.few_probes", {"probes": 0, "needed": 5})]
    assert reasons_text(none).startswith("No independent probe measured this target and another; 5 ")


def test_what_came_in_is_counted_and_the_rest_of_the_names_too() -> None:
    came = Reason("arrived.late_measurements", {"n": 1200, "from": ("AS1", "AS2", "AS3"), "others": 2})
    assert reasons_text([came]) == "1,200 late measurements came in from AS1, AS2, AS3 and 2 more."
    one = Reason("arrived.bins", {"n": 1, "from": ("bgp (ioda)",), "others": 0})
    assert reasons_text([one]) == "1 new value of bgp (ioda) came in."


def test_an_approval_keeps_the_words_of_the_person() -> None:
    assert reasons_text([Reason("approved", {"by": "Ayesha", "note": ""})]) == "Approved by Ayesha."
    noted = Reason("approved", {"by": "Ayesha", "note": "read it twice"})
    assert reasons_text([noted]) == "Approved by Ayesha: read it twice."


def test_a_reason_of_before_stays_as_it_was_written_and_is_marked_as_english() -> None:
    (old,) = reasons_said(as_written("suspected: 2 probes saw it; 3 are needed"), LANGUAGES["ur"])
    assert (old.text, old.language) == ("Suspected: 2 probes saw it; 3 are needed.", ENGLISH)


def test_a_code_of_a_newer_version_is_shown_and_breaks_nothing() -> None:
    assert reasons_text([Reason("of.tomorrow", {"n": 3})]) == "Of.tomorrow {'n': 3}."


def test_a_persons_words_cannot_reach_the_terminal() -> None:
    said = reasons_text([Reason("withdrawn", {"by": "A\x1b[31m", "why": "b\nc\x07"})])
    assert said == "Withdrawn by A[31m: b c."


def test_a_correction_says_what_is_gone_and_why() -> None:
    gone = (Reason("gone.confirmed"), Reason("gone.scope", {"before": "nation", "after": "isp"}))
    assert corrected(gone, (Reason("not_supported"),), ENGLISH) == (
        "No longer claimed: that it is confirmed; the scope (nation-wide; now one operator). "
        "It is no longer supported by the measurements."
    )


def test_every_reason_that_the_code_makes_has_words_for_its_parameters() -> None:
    assert len(made()) > 60
    codes = {*REASONS, *GONE, "as_written", "not_judged"}
    assert [(file, code) for file, code, _ in made() if code not in codes] == []
    for file, code, names in made():
        text = (REASONS | GONE).get(code, "")
        places = set(re.findall(r"{(\w+)}", text if isinstance(text, str) else text[1]))
        if names is not None and code != "approved.note":
            assert places <= {*names, "n"}, f"{file}: {code}: {places - set(names)}"


# --- nothing reads text ---------------------------------------------------------------------------------

FOR_PEOPLE = {"reason", "reasons_text", "sentence", "lede", "headline", "claimed", "because", "gone_texts"}
"""Names of what holds, or makes, text for people."""

READS = {
    "startswith",
    "endswith",
    "removeprefix",
    "removesuffix",
    "split",
    "partition",
    "rpartition",
    "replace",
}


def reads_text(tree: ast.AST) -> Iterator[str]:
    """Places where code compares, strips or splits text made for people."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READS:
            if _is_text(node.func.value):
                yield ast.unparse(node)
        elif (
            isinstance(node, ast.Compare)
            and isinstance(node.ops[0], ast.In | ast.NotIn | ast.Eq | ast.NotEq)
            and any(_is_text(side) for side in (node.left, *node.comparators))
        ):
            yield ast.unparse(node)


def _is_text(node: ast.AST) -> bool:
    """``incident.reason``, ``sentence(...)``, ``lede(...).text``."""
    if isinstance(node, ast.Attribute) and node.attr == "text":
        return _is_text(node.value)
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return name in FOR_PEOPLE
    return isinstance(node, ast.Attribute) and node.attr == "reason"


def test_nothing_compares_strips_or_splits_text_made_for_people() -> None:
    known = {"HTTPError", "error.reason", "response.reason"}
    for file, tree in trees().items():
        for found in reads_text(tree):
            assert any(one in found for one in known), f"{file.relative_to(SOURCE)}: {found}"


@pytest.mark.parametrize(
    "bad",
    [
        "if HELD in incident.reason: pass",
        "incident.reason.startswith('taken back by ')",
        "reason = incident.reason.removeprefix('suspected: ')",
        "sentence(one).split('. ')",
        "lede(one, ENGLISH).text == 'x'",
    ],
)
def test_the_check_finds_what_it_looks_for(bad: str) -> None:
    assert list(reads_text(ast.parse(bad)))
