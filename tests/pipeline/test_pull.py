"""Live sources into the store, from a publisher on loopback."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.errors import FanousError
from fanous.model.place import Place
from fanous.model.series import SeriesKey, SourceSeries
from fanous.pipeline.jobs import BringSeries
from fanous.pipeline.pull import FAILURES_IN_A_ROW, FIRST_DAYS, OVERLAP, Pull, due, newest, pull
from fanous.sources.connector import Query
from fanous.sources.fetch import Polite, Waits, host_of
from fanous.sources.publishers import SOURCES
from fanous.store.local import open_store
from fanous.store.protocol import Store
from fanous.store.series import Pulled
from tests.sources.publisher import Answer, always, publishing
from tests.sources.signals.samples import SAMPLES, T0, ioda, ioda_outages, ioda_series

DAY = 86400
LATER = T0 + 400 * DAY
NO_SLEEP = Waits(sleep=lambda _: None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "own") as opened:
        yield opened


def ioda_answer(path: str, number: int) -> Answer:
    """Three bins at the beginning of the window that is asked for."""
    asked = parse_qs(urlsplit(path).query)
    return Answer(ioda(ioda_series(**{"from": int(asked["from"][0])})))


def pulled(
    store: Store, ask: Query, answer: Callable[[str, int], Answer], now: float = LATER
) -> tuple[Pull, list[str]]:
    """What became of a pull of IODA, and what was asked for."""
    with (
        publishing(answer) as server,
        Polite(SOURCES["ioda"], mirror=server.address, waits=NO_SLEEP) as client,
    ):
        return pull(store, "ioda", ask, client.get, lambda: now), server.asked


def test_a_window_is_fetched_stored_and_detected(store: Store) -> None:
    done, asked = pulled(store, Query("PK", T0, T0 + DAY), ioda_answer)
    assert (done.pieces, done.values, done.new, done.failures) == (1, 3, 3, [])
    assert asked == [f"/v2/signals/raw/country/PK?from={T0}&until={T0 + DAY}"]
    (series,) = store.facts.levels("PK")
    assert series.values.tolist() == [100, 0]
    assert store.ledger.undetected() == {}


def test_a_mirror_is_remembered_for_the_time_that_it_gave(store: Store) -> None:
    pulled(store, Query("PK", T0, T0 + DAY), ioda_answer)
    assert store.facts.mirrors("PK", T0, T0 + DAY) == {}, "the publisher itself answered"
    with publishing(ioda_answer) as server, Polite(SOURCES["ioda"], mirror=server.address) as client:
        ask = Query("PK", T0 + DAY, T0 + 2 * DAY)
        pull(store, "ioda", ask, client.get, lambda: LATER, mirror=host_of(server.address))
    assert store.facts.mirrors("PK", T0 + DAY, T0 + 3 * DAY) == {"ioda": ("127.0.0.1",)}
    assert store.facts.mirrors("PK", T0, T0 + DAY) == store.facts.mirrors("KE", T0, T0 + 3 * DAY) == {}


def test_a_mirror_of_a_stream_is_remembered_too(store: Store) -> None:
    key = SeriesKey(Place("PK"), "", "prefixes_v4", source="ris")
    series = SourceSeries(key, 300, np.array([T0, T0 + 300]), np.array([900.0, 901.0]))
    BringSeries((series,), "mirror.example").perform(store)
    assert store.facts.mirrors("PK", T0 + 500, T0 + DAY) == {"ris": ("mirror.example",)}
    assert store.facts.mirrors("PK", T0 + 600, T0 + DAY) == {}


def test_what_is_settled_is_not_asked_for_again_and_what_is_not_is(store: Store) -> None:
    ask = Query("PK", T0, T0 + DAY)
    pulled(store, ask, ioda_answer, now=T0 + DAY + 60)
    young, asked = pulled(store, ask, ioda_answer)
    assert (young.pieces, young.new, len(asked)) == (1, 0, 1)
    old, asked = pulled(store, ask, ioda_answer)
    assert (old.pieces, old.skipped, asked) == (0, 1, [])


def test_a_backfill_goes_on_where_it_stopped(store: Store) -> None:
    ask = Query("PK", T0, T0 + 90 * DAY)

    def dies(path: str, number: int) -> Answer:
        return ioda_answer(path, number) if number < 2 else Answer(code=404)

    first, asked = pulled(store, ask, dies)
    assert (first.pieces, len(first.failures)) == (2, len(asked) - 2)
    second, again = pulled(store, ask, ioda_answer)
    assert second.skipped == 2
    assert set(again) == set(asked[2:])


def test_one_piece_that_fails_leaves_the_others(store: Store) -> None:
    def answer(path: str, number: int) -> Answer:
        return Answer(b"<html>") if number == 1 else ioda_answer(path, number)

    done, asked = pulled(store, Query("PK", T0, T0 + 90 * DAY), answer)
    assert done.pieces == len(asked) - 1
    ((piece, why),) = done.failures
    assert piece == "country/PK" and "a web page in place of data" in why


def test_a_source_that_only_fails_is_left_alone(store: Store) -> None:
    done, asked = pulled(store, Query("PK", T0, T0 + 300 * DAY), always(Answer(code=404)))
    assert len(asked) == len(done.failures) == FAILURES_IN_A_ROW


def test_what_could_not_be_read_of_a_piece_is_reported(store: Store) -> None:
    body = ioda(ioda_series(step=0), ioda_series(datasource="mozilla"))
    done, _ = pulled(store, Query("PK", T0, T0 + DAY), always(Answer(body)))
    assert [(piece, number) for piece, number, _ in done.rejects] == [("country/PK", 1)]
    assert done.pieces == 1


@pytest.mark.parametrize("body", [ioda(), ioda(ioda_series(step=0))], ids=["empty", "unreadable"])
def test_a_window_of_which_nothing_could_be_had_is_asked_for_again(store: Store, body: bytes) -> None:
    """A bad hour of the publisher, or a reader that is behind, must not leave a permanent gap."""
    ask = Query("PK", T0, T0 + DAY)
    done, _ = pulled(store, ask, always(Answer(body)))
    assert (done.new, len(done.failures)) == (0, int(body != ioda()))
    again, _ = pulled(store, ask, ioda_answer)
    assert (again.skipped, again.new) == (0, 3)


def test_that_no_one_claimed_anything_is_remembered(store: Store) -> None:
    body = ioda_outages("events")
    with publishing(always(Answer(body))) as server, Polite(SOURCES["ioda"], mirror=server.address) as client:
        asked = Query("PK", T0, T0 + DAY)
        assert pull(store, "ioda-outages", asked, client.get, lambda: LATER).pieces == 2
        assert pull(store, "ioda-outages", asked, client.get, lambda: LATER).skipped == 2


def test_a_list_of_regions_that_cannot_be_read_does_not_lose_the_country(store: Store) -> None:
    def answer(path: str, number: int) -> Answer:
        return Answer(b"{}") if "entities" in path else ioda_answer(path, number)

    done, _ = pulled(store, Query("PK", T0, T0 + DAY, regions=True), answer)
    assert done.pieces == 1
    ((name, why),) = done.failures
    assert name == "regions"
    assert why.startswith("not a response with IODA's")


def test_an_unknown_source_names_the_known(store: Store) -> None:
    with pytest.raises(FanousError, match="ripestat"):
        pull(store, "weather", Query("PK", T0, T0 + DAY), lambda _: b"", lambda: LATER)


def asked_onwards(
    store: Store, ask: Query, answer: Callable[[str], Answer], known: Sequence[Pulled] = ()
) -> list[tuple[str, int]]:
    """(place, since) of what was asked for, in order, lists of places left out."""
    store.facts.put_pulled("ioda", "PK", known)
    with (
        publishing(lambda path, _: answer(path)) as server,
        Polite(SOURCES["ioda"], mirror=server.address, waits=NO_SLEEP) as client,
    ):
        pull(store, "ioda", ask, client.get, lambda: LATER, onwards=True)
        paths = [urlsplit(path) for path in server.asked]
    return [
        (path.path.removeprefix("/v2/signals/raw/"), int(parse_qs(path.query)["from"][0]))
        for path in paths
        if "entities" not in path.path
    ]


def places(path: str, regions: int = 70) -> Answer:
    """Seventy regions, which are four batches of places."""
    listed = {"data": [{"code": f"{4000 + n}"} for n in range(regions)]}
    return Answer(json.dumps(listed).encode()) if "entities" in path else ioda_answer(path, 0)


FIRST = T0 - FIRST_DAYS * DAY
WINDOW = Query("PK", FIRST, T0)
LAST = Pulled("country/PK", FIRST, T0 - 600, T0)


def test_the_newest_window_is_the_days_that_a_baseline_needs() -> None:
    assert newest("ioda", T0 + 100.0) == (FIRST, T0)


def test_a_place_is_asked_for_what_is_new_with_an_overlap_for_corrections(store: Store) -> None:
    assert asked_onwards(store, WINDOW, places, [LAST]) == [("country/PK", T0 - 600 - OVERLAP)]


@pytest.mark.parametrize("known", [[], [Pulled("country/PK", FIRST - 60 * DAY, FIRST - 30 * DAY, T0)]])
def test_a_place_that_was_never_had_or_not_for_long_is_asked_for_all_days(
    store: Store, known: list[Pulled]
) -> None:
    assert asked_onwards(store, WINDOW, places, known) == [("country/PK", FIRST)]


def test_a_network_that_is_named_later_gets_its_own_days(store: Store) -> None:
    later = replace(WINDOW, networks=(17557,))
    assert asked_onwards(store, later, places, [LAST]) == [
        ("country/PK", T0 - 600 - OVERLAP),
        ("asn/17557", FIRST),
    ]
    assert asked_onwards(store, later, places)[1] == ("asn/17557", T0 - OVERLAP), "and then what is new"


def test_regions_that_failed_while_the_country_was_had_keep_no_gap(store: Store) -> None:
    both = replace(WINDOW, regions=True)

    def fails(path: str) -> Answer:
        return Answer(code=404) if "region/4000" in path and "entities" not in path else places(path, 2)

    assert [since for _, since in asked_onwards(store, both, fails)] == [FIRST, FIRST]
    again = dict(asked_onwards(store, both, lambda path: places(path, 2)))
    assert again == {"country/PK": T0 - OVERLAP, "region/4000,4001": FIRST}


@pytest.mark.parametrize("code", [404, 500])
def test_places_that_fail_keep_none_behind_them_from_being_asked(store: Store, code: int) -> None:
    """Three batches of regions fail; the fourth and the networks arrive."""
    everything = replace(WINDOW, regions=True, networks=(17557,))

    def answer(path: str) -> Answer:
        fails = any(f"region/{4000 + n}," in path for n in (0, 20, 40))
        return Answer(code=code) if fails else places(path)

    asked_onwards(store, everything, answer)
    had = {one.piece.partition(",")[0] for one in store.facts.pulled("ioda", "PK")}
    assert had == {"country/PK", "region/4060", "asn/17557"}


def test_a_source_that_answers_nothing_for_now_is_left_alone(store: Store) -> None:
    everything = replace(WINDOW, regions=True, networks=tuple(range(1, 61)))

    def answer(path: str) -> Answer:
        return places(path) if "entities" in path else Answer(code=503)

    assert len({place for place, _ in asked_onwards(store, everything, answer)}) == FAILURES_IN_A_ROW


def test_a_source_is_due_at_its_interval_after_the_last_pull(store: Store) -> None:
    assert due(store, "ioda", "PK", 600, T0)
    store.facts.put_pulled("ioda", "PK", [Pulled("country/PK", T0 - DAY, T0, T0 + 5.0)])
    assert not due(store, "ioda", "PK", 600, T0 + 604)
    assert due(store, "ioda", "PK", 600, T0 + 605)


def run(tmp_path: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["pull", *words, "--store", str(tmp_path / "store")])
    return (
        result.exit_code,
        result.output if result.exception is None else f"{result.output}{result.exception}",
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("CLOUDFLARE_API_TOKEN", raising=False)
    return tmp_path


def test_the_command_says_what_came(home: Path) -> None:
    with publishing(always(Answer(SAMPLES["ripestat"]))) as server:
        words = ["ripestat", "--country", "pk", "--since", "2023-11-15", "--until", "2023-11-16"]
        code, output = run(home, *words, "--mirror", server.address)
    assert code == 0
    assert "ripestat PK: fetched 1, already had 0; 9 values, 9 new or changed" in output
    with open_store(home / "store") as store:
        assert {series.key.signal for series in store.facts.levels("PK")} == {
            "asns",
            "prefixes_v4",
            "prefixes_v6",
        }
        assert store.facts.mirrors("PK", T0, LATER) == {"ripestat": ("127.0.0.1",)}


def test_nothing_at_all_is_a_failure_that_says_why(home: Path) -> None:
    with publishing(always(Answer(code=404))) as server:
        code, output = run(home, "ripestat", "--country", "PK", "--mirror", server.address)
    assert code == 1
    assert "404" in output and "could not fetch any data from ripestat" in output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["weather", "--country", "PK"], "not one of ioda"),
        (["ioda", "--country", "Pakisten"], "did you mean Pakistan"),
        (["ioda", "--country", "PK", "--since", "2023-11-16", "--until", "2023-11-15"], "must be before"),
        (["ioda", "--country", "PK", "--follow", "--json"], "cannot be combined with"),
    ],
)
def test_wrong_usage_is_reported(home: Path, words: list[str], why: str) -> None:
    code, output = run(home, *words)
    assert code == 2
    assert why in " ".join(output.replace("│", " ").split())


def test_a_missing_key_names_its_variable(home: Path) -> None:
    code, output = run(home, "radar", "--country", "PK")
    assert code == 1
    assert "CLOUDFLARE_API_TOKEN" in output


def test_a_key_travels_as_a_bearer(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "a-key")
    with publishing(always(Answer(SAMPLES["radar"]))) as server:
        code, _ = run(home, "radar", "--country", "PK", "--mirror", server.address)
    assert code == 0
    assert server.headers[0]["authorization"] == "Bearer a-key"


def test_following_goes_on_after_a_failure_that_may_pass(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    def answer(path: str, number: int) -> Answer:
        return Answer(b"<html>") if "entities" in path and number == 0 else ioda_places(path, number)

    def ioda_places(path: str, number: int) -> Answer:
        return Answer(b'{"data": []}') if "entities" in path else ioda_answer(path, number)

    monkeypatch.setattr("fanous.cli.pull.time.sleep", sleep)
    with publishing(answer) as server:
        words = ["ioda", "--country", "PK", "--regions", "--follow", "--mirror", server.address]
        _, output = run(home, *words)
    assert slept == [SOURCES["ioda"].every] * 3
    assert output.count("ioda PK: fetched") == 3
