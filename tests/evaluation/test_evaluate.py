"""What is found is compared with labels: for hand-made claims, and end to end on the corpora of the project."""

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from fanous.config import Instant
from fanous.model.incident import Interval, Kind, Scope
from fanous.model.instant import from_iso
from fanous.model.score import Evaluation, total
from fanous_lab.evaluation.corpus import Corpus, CorpusFile, LabelledEvent, QuietInterval, load_corpus
from fanous_lab.evaluation.evaluate import evaluate_corpora, evaluate_corpus
from fanous_lab.evaluation.simulate import pakistan
from tests.shared_data import shared_file

CORPORA = Path(__file__).resolve().parents[2] / "corpora"
SINCE, UNTIL = pakistan.SINCE, pakistan.UNTIL
EVENING = Interval(from_iso("2023-12-17T14:40Z"), from_iso("2023-12-17T22:00Z"))
RESTRICTED = tuple(pakistan.RESTRICTIONS)


def event(**given: Any) -> LabelledEvent:
    """The rally as labelled by someone who knows the evening and the networks."""
    networks = given.get("networks", dict.fromkeys(RESTRICTED, (EVENING,)))
    fields: dict[str, Any] = {
        "id": "rally",
        "country": "PK",
        "kind": Kind.BLOCKING,
        "targets": ("x", "youtube"),
        "networks": networks,
        "scope": Scope.NATION,
        "source": "a test",
        "must": tuple(networks),
    }
    return LabelledEvent(**(fields | given))


@pytest.fixture(scope="module")
def scratch(rally: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a corpus whose file is a quarter of the generated event, in which the same is found.

    Its reports are whole: that a site was slow shows only beside what else the same sender measured.
    """
    folder = tmp_path_factory.mktemp("corpus")
    lines = rally.read_bytes().splitlines(keepends=True)
    reports = [json.loads(line)["report_id"] for line in lines]
    kept = {*list(dict.fromkeys(reports))[::4]}
    few = (line for line, report in zip(lines, reports, strict=True) if report in kept)
    (folder / "rally.jsonl").write_bytes(b"".join(few))
    return folder


def score(folder: Path, *events: LabelledEvent, countries: tuple[str, ...] = ()) -> Evaluation:
    """Labels of any sort over the same measurements."""
    quiet = tuple(QuietInterval(country, Instant(SINCE), Instant(UNTIL), "a test") for country in countries)
    files = (CorpusFile("ooni", path="rally.jsonl"),)
    return evaluate_corpus(Corpus(folder, "a test", SINCE, UNTIL, files, "", 7, events, quiet), None)


@pytest.mark.matrix
def test_labels_of_another_time_place_or_target_are_other_events(scratch: Path) -> None:
    """One run of the measurements, many labels: each is matched or not by itself."""
    next_day = Interval(EVENING.end + 86_400 if EVENING.end else 0, UNTIL)
    hours_before = Interval(EVENING.start - 5 * 3600, EVENING.start - 4 * 3600)
    hours_after = Interval(EVENING.start + 11 * 3600, EVENING.start + 12 * 3600)
    labels = {
        "right": event(id="right"),
        "one network": event(id="one network", networks={59257: (EVENING,)}),
        "within the slack": event(id="within the slack", networks={59257: (hours_before,)}),
        "within the slack after": event(id="within the slack after", networks={59257: (hours_after,)}),
        "two days later": event(id="two days later", networks={59257: (next_day,)}),
        "another network": event(id="another network", networks={38264: (EVENING,)}),
        "another target": event(id="another target", targets=("wikipedia",)),
        "another country": event(id="another country", country="IN", networks={59257: (EVENING,)}),
        "another scope": event(id="another scope", scope=Scope.ISP),
        "no scope": event(id="no scope", scope=None),
        "it goes on": event(id="it goes on", networks={59257: (Interval(EVENING.start, None),)}),
        "one too many": event(id="one too many", networks={59257: (EVENING,), 38264: (EVENING,)}),
        "one spare": event(id="one spare", networks={59257: (EVENING,), 38264: (EVENING,)}, must=(59257,)),
    }
    evaluation = score(scratch, *labels.values())
    found = dict(zip(labels, evaluation.events, strict=True))
    assert {name for name, one in found.items() if one.confirmed} == {
        "right",
        "one network",
        "within the slack",
        "within the slack after",
        "another scope",
        "no scope",
        "it goes on",
        "one spare",
    }
    assert found["one too many"].incidents == 1, "found, but not on every network that must be"
    assert {n.asn: n.found for n in found["one too many"].networks} == {38264: "missed", 59257: "confirmed"}
    assert found["another network"].incidents == found["two days later"].incidents == 0
    assert [found[name].scope_right for name in ("right", "another scope", "no scope")] == [True, False, None]
    assert found["right"].extra_networks == ()
    assert found["one network"].extra_networks == tuple(sorted(set(RESTRICTED) - {59257}))
    assert found["it goes on"].end_error_minutes is None
    assert found["another target"].minutes_to_confirm is None
    assert evaluation.recall == 8 / 13
    assert evaluation.false_confirmed == 0
    delay = found["right"].minutes_to_confirm
    assert delay is not None and 180 < delay < 240, "strangers alone convince in three separate hours"
    assert found["within the slack"].minutes_to_confirm == pytest.approx(delay + 300, abs=0.2)
    assert found["right"].onset_error_minutes == pytest.approx(0, abs=90)
    assert found["right"].end_error_minutes == pytest.approx(0, abs=90)


@pytest.mark.matrix
def test_overlap_is_what_both_say_of_what_either_says_where_it_was_measured(scratch: Path) -> None:
    whole = pakistan.RESTRICTIONS[59257]
    length = whole.end - whole.start
    labels = {
        "right": Interval(whole.start, whole.end),
        "half": Interval(whole.start, whole.start + length / 2),
        "twice": Interval(whole.start - length, whole.end),
        "never measured": Interval(SINCE, SINCE + 60),
    }
    events = [event(id=name, networks={59257: (label,)}) for name, label in labels.items()]
    found = dict(zip(labels, score(scratch, *events).events, strict=True))
    overlap = {name: one.networks[0].overlap for name, one in found.items()}
    assert overlap["never measured"] is None
    right, half, twice = (overlap[name] or 0.0 for name in ("right", "half", "twice"))
    assert 0.85 < right <= 1.0
    assert half == pytest.approx(right / 2, abs=0.2), "what was found and not labelled counts against it"
    assert 0.2 < twice < 0.8, "what was labelled and not found counts against it"


@pytest.mark.matrix
def test_what_no_label_names_is_false(scratch: Path) -> None:
    evaluation = score(scratch, countries=("PK",))
    assert (evaluation.false_confirmed, evaluation.events) == (1, ())
    assert evaluation.recall is None
    assert evaluation.precision == 0.0


@pytest.mark.matrix
def test_exposure_is_the_window_times_countries(scratch: Path, tmp_path: Path) -> None:
    with (scratch / "rally.jsonl").open("rb") as whole:
        (tmp_path / "rally.jsonl").write_bytes(b"".join(islice(whole, 100)))
    scratch = tmp_path
    files = sorted(path.name for path in scratch.iterdir())
    alone = score(scratch, event())
    assert alone.country_months == pytest.approx(3 / 30.44, rel=0.01)
    more = score(scratch, event(), countries=("IN", "AE", "PK"))
    assert more.country_months == pytest.approx(3 * alone.country_months)
    assert more.series_months > alone.series_months
    assert sorted(path.name for path in scratch.iterdir()) == files, "its store was its own"
    assert more.measurements == alone.measurements == len((scratch / "rally.jsonl").read_bytes().splitlines())


@pytest.fixture(scope="module")
def virtual_rally() -> Evaluation:
    (evaluation,) = evaluate_corpora([CORPORA / "pakistan-2023"], None)
    return evaluation


def test_the_rally_is_found_whole_and_nothing_else(virtual_rally: Evaluation) -> None:
    assert (virtual_rally.recall, virtual_rally.precision) == (1.0, 1.0)
    assert (virtual_rally.false_confirmed, virtual_rally.false_suspected) == (0, 0)
    (one,) = virtual_rally.events
    assert (one.incidents, one.scope_right, one.extra_networks) == (1, True, ())
    assert all(network.found == "confirmed" for network in one.networks)


def test_the_rally_is_found_in_time(virtual_rally: Evaluation) -> None:
    (one,) = virtual_rally.events
    assert one.minutes_to_confirm is not None and 90 < one.minutes_to_confirm <= 120, "strangers, three hours"
    assert one.onset_error_minutes is not None and abs(one.onset_error_minutes) <= 60
    assert one.end_error_minutes is not None and abs(one.end_error_minutes) <= 60
    for network in one.networks:
        assert network.overlap is not None and network.overlap >= 0.8, network
        assert network.onset_error_minutes is not None and abs(network.onset_error_minutes) <= 60


@pytest.mark.matrix
def test_ordinary_days_give_nothing() -> None:
    (evaluation,) = evaluate_corpora([CORPORA / "quiet-synthetic"], None)
    assert (evaluation.false_confirmed, evaluation.false_suspected) == (0, 0)
    assert evaluation.measurements > 1000
    assert evaluation.country_months == pytest.approx(9 / 30.44, rel=0.01)


@pytest.mark.matrix
@pytest.mark.shared_data
def test_kenya_is_found_on_every_network_and_nothing_else() -> None:
    for name in ("2023-KE-telegram.csv.gz", "2023-KE-web_connectivity-telegram.org.csv.gz"):
        folder = shared_file(f"ooni/{name}").parents[1]
    (evaluation,) = evaluate_corpora([CORPORA / "kenya-2023"], folder)
    assert (evaluation.recall, evaluation.precision) == (1.0, 1.0)
    assert (evaluation.false_confirmed, evaluation.false_suspected) == (0, 0)
    (one,) = evaluation.events
    assert one.incidents <= 3
    assert one.scope_right
    assert one.extra_networks == ()
    for network in one.networks:
        assert network.overlap is not None and network.overlap >= 0.7, network


def real_corpora() -> list[Path]:
    return [folder for folder in sorted(CORPORA.glob("*/")) if load_corpus(folder).is_real]


@pytest.mark.matrix
@pytest.mark.shared_data
@pytest.mark.parametrize("folder", real_corpora(), ids=lambda folder: folder.name)
def test_no_real_case_is_confirmed_that_its_measurements_do_not_support(folder: Path) -> None:
    """The methodology lists the misses; a false confirmation fails here."""
    corpus = load_corpus(folder)
    data = [shared_file(file.shared).parents[1] for file in corpus.files]
    evaluation = evaluate_corpus(replace(corpus, injection=None), data[0])
    assert not evaluation.missing
    assert all(quiet.measured and not quiet.confirmed for quiet in evaluation.quiet_intervals)
    for event in evaluation.events:
        assert event.found != "missed", event.id
        assert event.truth.status == "confirmed" or event.found == "suspected", event.id


@pytest.mark.matrix
@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("corpus", "file", "intervals"),
    [
        ("iran-2019", "monash_irn_2019-11.csv.gz", 1),
        ("venezuela-2019", "monash_ven_2019-07.csv.gz", 4),  # back in stages
        ("bago-2021", "monash_mmr_2021_bago.csv.gz", 72),
    ],
)
def test_real_outages_seen_by_one_family_are_suspected_and_not_confirmed(
    corpus: str, file: str, intervals: int
) -> None:
    (evaluation,) = evaluate_corpora([CORPORA / corpus], shared_file(f"signals/{file}").parents[1])
    (event,) = evaluation.events
    assert event.status_right and event.onset_inside
    assert (event.found, event.confirmed, event.incidents, event.scope_right) == ("suspected", False, 1, True)
    assert event.intervals == intervals
    assert event.onset_error_minutes is not None
    assert 0 <= event.onset_error_minutes < 60, (
        "within the labelled hour, also where hours begin at half past"
    )
    assert evaluation.found == 1.0 and evaluation.recall == 0.0
    assert (evaluation.false_confirmed, evaluation.false_suspected) == (0, 0)


@pytest.mark.shared_data
@pytest.mark.matrix
@pytest.mark.parametrize("times", [1, 5])
def test_losses_put_into_a_quiet_export_are_found_and_nothing_else(times: int) -> None:
    file = shared_file("signals/ioda_export_quiet_2025-12.csv.gz")
    corpus = load_corpus(CORPORA / "injected-drops")
    assert corpus.injection is not None
    evaluation = evaluate_corpus(
        replace(corpus, injection=structs.replace(corpus.injection, times=times)), file.parents[1]
    )
    assert evaluation.false_confirmed == 0
    assert evaluation.false_suspected_a_country_month <= 1
    for score in evaluation.losses:
        probing = "ping-slash24" in score.signals
        if probing or (score.loss >= 0.3 and score.hours >= 3):
            assert score.recall == score.found == 1.0, score
        if probing:
            assert score.found == 1.0, score
        if score.peer_recall is not None and score.loss <= 0.1:
            assert score.peer_recall == 0.0, "what IODA's rule does not see"
        assert score.confirmed == 0.0, (
            "everything in this export came through IODA: one deliverer confirms nothing"
        )


@pytest.mark.matrix
@pytest.mark.shared_data
def test_failures_as_long_as_stated_are_found_nine_times_in_ten() -> None:
    folder = shared_file("ooni/2023-KE-telegram.csv.gz").parents[1]
    corpus = load_corpus(CORPORA / "planted-failures")
    assert corpus.sensitivity is not None
    fewer = replace(corpus, sensitivity=structs.replace(corpus.sensitivity, times=60))
    scores = evaluate_corpus(fewer, folder).sensitivity
    assert len({score.asn for score in scores}) >= 5 and {score.depth for score in scores} == {1.0, 0.5}
    for score in scores:
        assert score.found >= 0.78, score  # 60 draws of a chance of .9: three standard deviations
        assert score.found_half_as_long < score.found, score
        if score.depth == 1:
            assert score.found_half_as_long == pytest.approx(score.stated_half_as_long, abs=0.2), score
    assert sum(score.found for score in scores) / len(scores) == pytest.approx(0.9, abs=0.05)


REAL = """
[corpus]
title = "A test"
since = 2023-12-16T00:00:00Z
until = 2023-12-19T00:00:00Z
files = [{ source = "ooni", shared = "rally.jsonl" }]

[publication.press]
publisher = "A newspaper"
title = "The evening"
url = "https://news.example/evening"
published = 2023-12-18

[[event]]
id = "rally"
country = "PK"
kind = "blocking"
targets = ["x", "facebook", "instagram", "youtube"]
networks = [59257]
intervals = [[2023-12-17T14:45:00Z, 2023-12-17T22:00:00Z]]
source = "a test"
[event.truth]
status = "confirmed"
onset = { publication = "press", earliest = 2023-12-17T14:30:00Z, latest = 2023-12-17T15:00:00Z }

[[quiet]]
country = "PK"
networks = [38264]
since = 2023-12-16T00:00:00Z
until = 2023-12-19T00:00:00Z
publication = "press"
source = "a test"

[[quiet]]
country = "SE"
since = 2023-12-16T00:00:00Z
until = 2023-12-19T00:00:00Z
source = "nobody measured there"
"""


def written(folder: Path, text: str) -> Path:
    (folder / "events.toml").write_text(text, encoding="utf-8")
    return folder


def of_text(folder: Path, data: Path, text: str) -> Evaluation:
    (evaluation,) = evaluate_corpora([written(folder, text)], data)
    return evaluation


@pytest.mark.matrix
def test_an_incident_is_compared_with_the_bounds_of_what_is_known(scratch: Path, tmp_path: Path) -> None:
    as_it_was = of_text(tmp_path, scratch, REAL)
    (event,), (quiet, unmeasured) = as_it_was.events, as_it_was.quiet_intervals
    assert as_it_was.is_real and not as_it_was.missing
    assert (event.status_right, event.onset_inside) == (True, True)
    assert event.truth.onset is not None and event.truth.onset.source.publisher == "A newspaper"
    assert (quiet.measured, quiet.confirmed, quiet.suspected) == (True, 0, 0)
    assert not unmeasured.measured, "what nobody measured was not judged"
    whole = total([as_it_was], is_real=True)
    assert (whole.events, whole.status_right, whole.onsets, whole.onsets_inside) == (1, 1, 1, 1)
    assert (whole.quiet, whole.quiet_right) == (1, 1)
    assert total([as_it_was], is_real=False).corpora == 0, "never among the made-up ones"

    too_much = REAL.replace('status = "confirmed"', 'status = "suspected"')
    days_before = too_much.replace("2023-12-17T14:", "2023-12-17T02:").replace(
        "2023-12-17T15:", "2023-12-17T03:"
    )
    (event,) = of_text(tmp_path, scratch, days_before).events
    assert event.found == "confirmed" and not event.status_right, (
        "confirmed, though only a suspicion was supported"
    )
    assert event.onset_inside is False
    whole = total([of_text(tmp_path, scratch, too_much)], is_real=True)
    assert (whole.events, whole.status_right) == (1, 0)


def test_what_cannot_be_judged_for_want_of_data_counts_as_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for folder, missing in ((None, "rally.jsonl"), (data, "rally.jsonl")):
        evaluation = evaluate_corpus(load_corpus(written(tmp_path, REAL)), folder)
        assert evaluation.missing == (missing,)
    (data / "rally.jsonl").write_text("{}\n", encoding="utf-8")
    evaluation = evaluate_corpus(load_corpus(tmp_path), data)
    assert evaluation.missing == ("rally.jsonl (unreadable)",)
    whole = total([evaluation], is_real=True)
    assert (whole.corpora, whole.missing, whole.events, whole.quiet, whole.country_months) == (
        0,
        1,
        0,
        0,
        0.0,
    )


@pytest.mark.matrix
def test_made_up_records_make_a_corpus_made_up(scratch: Path, tmp_path: Path) -> None:
    made_up = REAL.replace('shared = "rally.jsonl"', 'shared = "rally.jsonl", made_up = true')
    assert not of_text(tmp_path, scratch, made_up).is_real
