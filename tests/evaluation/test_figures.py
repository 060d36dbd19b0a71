"""Figures: those of real outages are the same on the page, on the card, in the report, in JSON and in CSV."""

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fanous.model.incident import Incident
from fanous.model.instant import from_iso, to_iso
from fanous.pipeline.series import ingest_series
from fanous.publish.edition import Edition
from fanous.publish.pictures import card_svg
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.web.answers import Site
from fanous.web.application import application
from fanous.wording.clocks import both_clocks
from fanous.wording.language import ENGLISH
from fanous_lab.evaluation.corpus import corpus_files, load_corpus
from tests.commands import fanous
from tests.shared_data import shared_file
from tests.web.visits import Reader

pytestmark = pytest.mark.shared_data

CORPORA = Path(__file__).parents[2] / "corpora"
OUTAGES = {
    "venezuela-2019": "monash_ven_2019-07.csv.gz",
    "iran-2019-ioda": "ioda_irn_2019-11_probing.csv.gz",
    "uganda-2021": "routeviews_uga_2021-01_country.csv.gz",
}
BOUNDS = ("onset", "end", "reached")


@dataclass(frozen=True)
class Told:
    """One outage, in every form in which it is published."""

    incident: Incident
    page: str
    card: str
    report: str
    row: dict[str, str]
    listed: dict[str, Any]
    printed: dict[str, Any]
    answered: dict[str, Any]
    exported: dict[str, str]
    newest: dict[str, int]

    @property
    def headline(self) -> str:
        return self.page.partition("<h1>")[2].partition("</h1>")[0]

    @property
    def lede(self) -> str:
        return self.page.partition('<p class="lede">')[2].partition("</p>")[0]

    @property
    def details(self) -> str:
        return self.page.partition('<p class="lede">')[2].partition("<dl")[0].partition("</p>")[2]

    def section(self, name: str) -> str:
        return self.page.partition(f'id="{name}"')[2].partition("<h2")[0]

    def fact(self, name: str) -> str:
        """What the row of facts says under a name."""
        return text(self.page.partition(f"<dt>{name}</dt>")[2].partition("</div>")[0])


def text(marked: str) -> str:
    """What a reader sees of a page."""
    plain = html.unescape(re.sub("<[^>]*>", " ", re.sub(r"</?(bdi|span)\b[^>]*>", "", marked)))
    return " ".join(re.sub("[\u2066-\u2069]", "", plain).split())


@pytest.fixture(scope="module", params=OUTAGES)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp(request.param)
    shared = shared_file(f"signals/{OUTAGES[request.param]}").parents[1]
    corpus = load_corpus(CORPORA / request.param)
    with open_store(folder / "store") as store:
        for file, path in corpus_files(corpus, shared, folder):
            assert file.about is not None
            assert ingest_series(store, file.source, [path], file.about).stored
        (incident,) = store.ledger.incidents(corpus.countries[0])

        async def ask(question: Callable[[Store], Any]) -> Any:
            return question(store)

        visitor = Reader(application(ask, Site(clock=lambda: corpus.until)))
        address = f"/{incident.country}/{incident.id}"
        page = visitor.get(address).text
        report = visitor.get(f"{address}/report.md").text
        listed = visitor.get(f"/api/v1/incidents/{incident.id}").json()
        (row,) = csv.DictReader(io.StringIO(visitor.get("/incidents.csv").text))
        card = card_of(store, incident, corpus.until)
        levels = store.facts.levels(incident.country)
        newest = {str(one.key.place): int(one.times[-1]) + one.step for one in levels}
    shown = fanous("incidents", "show", incident.id, "--store", folder / "store", "--json").stdout
    span = ("--since", to_iso(corpus.since), "--until", to_iso(corpus.until))
    (country,) = corpus.countries
    answer = json.loads(fanous("confirm", country, *span, "--store", folder / "store", "--json").stdout)
    (answered,) = answer["incidents"]
    fanous("export", "--private", "-o", folder / "open", "--store", folder / "store")
    (exported,) = csv.DictReader(io.StringIO((folder / "open" / "incidents.csv").read_text()))
    yield Told(incident, page, card, report, row, listed, json.loads(shown), answered, exported, newest)


def card_of(store: Store, incident: Incident, now: float) -> str:
    return card_svg(store, incident, Edition(ENGLISH, "http://monitor.example", now))


def shares(path: str, bottom: float, pixels: float) -> list[float]:
    """The values of a line or of a band, in order."""
    return [1.25 * (bottom - float(y)) / pixels for y in re.findall(r"(?:M\d+ |V)([\d.]+)", path)]


def test_the_card_draws_the_lines_and_bands_of_the_page(told: Told) -> None:
    """Within two pixels of the lower picture, and in as many steps or fewer where two are the same height."""
    chart = told.page.partition("data-frame=")[2].partition("</svg>")[0]
    _, _, top, bottom = map(float, chart[1:].partition('"')[0].split())
    here = re.findall(r'<path d="([^"]+)" class="(?:line|band) (.)(.)"', chart)
    edges = [float(y) for y in re.findall(r'<path d="M44 (\d+)H', told.card)]
    low, peak = max(edges), min(edges)
    there = re.findall(r'<path d="([^"]+)" (?:fill="none" stroke-width="2.2"|opacity="0.2")', told.card)
    assert len(here) == len(there) >= 1
    for (path, *_), other in zip(here, there, strict=True):
        page, card = shares(path, bottom, bottom - top), shares(other, low, low - peak)
        for one, same in (
            (min(page), min(card)),
            (max(page), max(card)),
            (page[0], card[0]),
            (page[-1], card[-1]),
        ):
            assert one == pytest.approx(same, abs=2 * 1.25 / (low - peak) + 0.02)
    names = re.findall(r'class="name">([^<]+)<', chart)
    assert text(names[0]) in text(told.card)


def test_when_it_was_first_published_stands_in_each_form(told: Told) -> None:
    at = told.incident.first_published_at
    assert at is not None
    for document in (told.printed, told.answered, told.listed, told.row):
        assert document["first_published_at"] == to_iso(at)
    assert told.exported["first_published_at"][:16] == to_iso(at)[:16]
    assert "first published on" in told.page and "First published" in told.report


def test_the_level_and_the_lowest_are_one_figure_each(told: Told) -> None:
    level = told.incident.level
    assert level is not None and level.worst is not None
    mean, worst = round(level.mean, 3), round(level.worst, 3)
    for document in (told.printed, told.answered, told.listed):
        assert (document["level"]["mean"], document["level"]["worst"]) == (mean, worst)
        (main, *_) = [one for one in document["levels"] if one["left"] == mean]
        assert from_iso(main["start"]) >= told.incident.onset
    for row in (told.row, told.exported):
        assert (float(row["level_mean"]), float(row["level_worst"])) == (mean, worst)
    stated = ENGLISH.percent(level.mean)
    assert stated in told.lede and stated in told.details and stated in told.report
    assert told.fact("Connectivity left").startswith(stated)
    assert not re.search(r"(\d+%) to \1", told.fact("Connectivity left")), "a range of one figure is none"
    assert text(told.headline) in text(told.card)
    lowest = re.findall(r"At its lowest, (\d+%)", text(told.details))
    assert lowest == [ENGLISH.percent(level.worst)] * len(lowest)
    assert set(re.findall(r"Lowest share|averag", text(told.page))) == set(), "no third kind of figure"


def percentages(words: str) -> set[str]:
    """Every figure in a text, each once."""
    return set(re.findall(r"\d+%", words))


def stated(document: Any) -> set[str]:
    """The shares in a document, as pages print them."""
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        return set[str]().union(*map(stated, document))
    return {ENGLISH.percent(document)} if isinstance(document, float) and 0 <= document <= 1 else set()


def test_every_figure_of_page_and_card_is_in_the_json(told: Told) -> None:
    level = told.answered["level"]
    columns = {ENGLISH.percent(float(told.row[name])) for name in ("level_mean", "level_worst")}
    assert columns == stated([level["mean"], level["worst"]])
    left, figures = text(told.fact("Connectivity left")), stated(level)
    for words in (text(told.headline), text(told.lede), left):
        assert percentages(words) and percentages(words) <= figures, words
    account = f"{text(told.details)} {text(told.section('saw'))}"
    assert percentages(account) <= figures | stated(told.printed["opinions"]), account
    labels = [text(one) for one in re.findall(r"<text [^>]*>([^<]*)</text>", told.card)]
    heights = {"0%", "25%", "50%", "75%", "100%"}
    words = " ".join(label for label in labels if label not in heights)
    assert percentages(words) == percentages(text(told.headline)), words


def test_a_line_ends_at_the_level_that_the_headline_states_as_the_present_one(told: Told) -> None:
    """The median of the last step of Iran's was 75 %, beside a headline that said 68 %."""
    level, bottom = told.incident.level, 0.0
    assert level is not None
    (country, *_) = re.findall(r'<li data-shares="([^"]+)"', told.page)
    last = [share for share in country.split(",") if share][-1]
    if told.incident.end is None:
        assert level.now is not None
        assert f"{last}%" == ENGLISH.percent(level.now)
        assert f"{last}%" in told.headline
    else:
        assert f"{last}%" not in told.headline, "what came back is not what was left"
    edges = [float(y) for y in re.findall(r'<path d="M44 (\d+)H', told.card)]
    bottom, top = max(edges), min(edges)
    (line, *_) = re.findall(r'<path d="([^"]+)" fill="none" stroke-width="2.2"', told.card)
    (share, *_) = reversed(shares(line, bottom, bottom - top))
    assert share == pytest.approx(int(last) / 100, abs=0.02)


def test_the_headline_has_the_level_or_what_is_left_now(told: Told) -> None:
    level = told.incident.level
    assert level is not None
    figures = {ENGLISH.percent(level.mean)} | (
        {ENGLISH.percent(level.now)} if level.now is not None else set()
    )
    (stated,) = re.findall(r"\d+%", text(told.headline))
    assert stated in figures
    assert stated in told.lede, "the lede explains the headline"


def test_the_row_of_the_countrys_own_series_has_the_level(told: Told) -> None:
    level = told.incident.level
    assert level is not None
    table = told.page.partition('id="connectivity"')[2].partition("</table>")[0]
    (first, *_) = re.findall(r"</svg>(\d+%)", table.partition("<tbody>")[2])
    assert first == ENGLISH.percent(level.mean)


@pytest.mark.parametrize("bound", BOUNDS)
def test_brackets_agree_everywhere(told: Told, bound: str) -> None:
    incident = told.incident
    at = getattr(incident, bound)
    bracket = [getattr(incident, f"{bound}_earliest"), getattr(incident, f"{bound}_latest")]
    stated = ["" if one is None else to_iso(one) for one in (at, *bracket)]
    names = (bound, f"{bound}_earliest", f"{bound}_latest")
    for document in (told.printed, told.answered, told.listed):
        assert [document[name] or "" for name in names] == stated
    assert [told.row[name] for name in names] == stated
    assert [told.exported[name] for name in names] == [f"{one[:16]}:00Z" if one else "" for one in stated]
    if at is None:
        return
    assert bracket[0] <= at <= bracket[1]
    fact = told.fact({"onset": "Began", "end": "Ended", "reached": "Began"}[bound])
    first, last = (both_clocks(one, incident.country, ENGLISH) for one in bracket)
    clocks = [re.findall(r"(?<![+-])\d\d:\d\d", text(one)) for one in (first, last)]
    local, utc = zip(*clocks, strict=True)
    assert re.search(f"between {local[0]} and {local[1]}", fact), fact
    assert f"{utc[0]}–{utc[1]} UTC" in fact, fact
    if bracket[1] - bracket[0] > 3600:
        assert f"between {text(first)} and {text(last)}" in text(told.details)


def test_the_country_has_the_times_of_the_incident_and_nothing_is_on_outside_them(told: Told) -> None:
    for document in (told.printed, told.listed):
        (own,) = [one for one in document["networks"] if one["entity"] == told.incident.country]
        assert own["intervals"][0][0] == document["onset"] == document["intervals"][0][0]
        assert own["intervals"][-1][1] == document["end"] == document["intervals"][-1][1]


def test_whoever_is_said_to_be_low_first_has_the_first_interval_and_the_first_bar(told: Told) -> None:
    said = re.search(r"Low before the rest \(local time\): (.*?) from", text(told.details))
    parts = [one for one in told.printed["networks"] if one["entity"] != told.incident.country]
    wide = (
        told.page.partition('id="connectivity"')[2].partition('<div class="wide">')[2].partition("</svg>")[0]
    )
    bars = re.findall(r'class="lasts"/><text [^>]*>([^<]*)<', wide)
    assert len(bars) == min(len(parts), 8)
    early = [
        one for one in parts if from_iso(one["intervals"][0][0]) < (told.incident.onset_earliest or 0) - 3600
    ]
    assert bool(said) == bool(early)
    if said:
        assert said[1].startswith(bars[0])


def test_no_bar_goes_on_after_the_newest_value_of_its_place(told: Told) -> None:
    """IranCell's went on for six days after its file had ended."""
    parts = [one for one in told.printed["networks"] if one["entity"] != told.incident.country]
    parts.sort(key=lambda one: (one["intervals"][0][0], one["entity"]))
    chart = told.page.partition('id="connectivity"')[2].partition('<div class="narrow">')[0]
    left, right, *_ = map(float, re.findall(r'data-frame="([^"]+)"', chart)[0].split())
    start, step = (int(re.findall(rf'data-{name}="(\d+)"', chart)[0]) for name in ("start", "step"))
    bins = len(re.findall(r'data-shares="([^"]+)"', chart)[0].split(","))
    second = bins * step / (right - left)
    bars = re.findall(r'<path d="([^"]+)" class="lasts"', chart)
    assert len(bars) == min(len(parts), 8)
    for part, bar in zip(parts, bars, strict=False):
        end = part["intervals"][-1][1]
        known = from_iso(end) if end else told.newest[part["entity"]]
        (drawn,) = re.findall(r"H(\d+)$", bar)
        assert start + (float(drawn) - left) * second == pytest.approx(
            min(known, start + bins * step), abs=2 * second
        )
