"""Labelled events: what a corpus says, and what is said about a corpus that is wrong."""

from pathlib import Path

import pytest

from fanous.errors import FanousError
from fanous.model.incident import Interval, Kind, Scope
from fanous.model.instant import from_iso
from fanous.refdata.platforms import target_of
from fanous_lab.evaluation.corpus import SHARED, corpus_files, load_corpus, missing_files
from fanous_lab.evaluation.simulate.pakistan import GENERATORS, RESTRICTIONS
from fanous_lab.evaluation.simulate.records import PLATFORMS
from tests.each import each

CORPORA = Path(__file__).resolve().parents[2] / "corpora"

HEAD = """
[corpus]
title = "A corpus"
since = 2023-12-01
until = 2024-01-01
files = [{ source = "ooni", path = "measurements.jsonl" }]
"""
EVENT = """
[[event]]
id = "one"
country = "PK"
kind = "blocking"
targets = ["x"]
networks = [17557]
intervals = [[2023-12-17T15:00:00Z, 2023-12-17T22:00:00Z]]
source = "a test"
"""


def written(folder: Path, text: str) -> Path:
    (folder / "events.toml").write_text(text, encoding="utf-8")
    return folder


@each("folder", sorted(CORPORA.glob("*/")), ids=lambda folder: folder.name)
def test_the_corpora_of_this_project_can_be_read(folder: Path) -> None:
    corpus = load_corpus(folder)
    assert corpus.title and corpus.countries
    assert all(quiet.since >= corpus.since and quiet.until <= corpus.until for quiet in corpus.quiet)
    assert all(target_of(target) == target for event in corpus.events for target in event.targets)


def test_labels_of_the_generated_event_are_what_the_generator_did() -> None:
    (event,) = load_corpus(CORPORA / "pakistan-2023").events
    truth = {asn: (Interval(each.start, each.end),) for asn, each in RESTRICTIONS.items()}
    assert dict(event.networks) == truth
    assert event.targets == tuple(PLATFORMS)
    assert event.scope is Scope.NATION


def test_kenyan_sessions_are_on_kenyas_clock() -> None:
    (event,) = load_corpus(CORPORA / "kenya-2023").events
    assert set(event.networks) == {33771, 37061, 12455, 36926}
    first = event.networks[33771][0]
    assert first == Interval(from_iso("2023-11-08T11:15Z"), from_iso("2023-11-08T13:15Z"))
    assert from_iso("2023-11-08") < event.start < (event.end or 0) < from_iso("2023-11-25")
    weekend = from_iso("2023-11-18"), from_iso("2023-11-20")
    assert not [each for each in event.networks[33771] if weekend[0] <= each.start < weekend[1]]


def test_an_event_and_a_quiet_time_never_contradict_each_other() -> None:
    for folder in CORPORA.glob("*/"):
        corpus = load_corpus(folder)
        for event in corpus.events:
            for asn, intervals in event.networks.items():
                for quiet in corpus.quiet:
                    if quiet.country == event.country and (not quiet.networks or asn in quiet.networks):
                        for on in intervals:
                            assert on.start >= quiet.until or (on.end or corpus.until) <= quiet.since


def test_intervals_may_be_given_once_or_network_by_network(tmp_path: Path) -> None:
    own = "[[event.on]]\nnetworks = [45669]\nintervals = [[2023-12-17T16:00:00Z]]\n"
    (event,) = load_corpus(written(tmp_path, HEAD + EVENT + own)).events
    assert event.kind is Kind.BLOCKING
    assert event.networks[17557] == (Interval(from_iso("2023-12-17T15:00Z"), from_iso("2023-12-17T22:00Z")),)
    assert event.networks[45669] == (Interval(from_iso("2023-12-17T16:00Z"), None),)
    assert event.end is None
    assert event.must == (17557, 45669)


def test_sessions_may_run_past_midnight(tmp_path: Path) -> None:
    sessions = '[[event.sessions]]\ndays = [2023-12-17]\nhours = ["22:00-02:00"]\nzone = "Asia/Karachi"\n'
    text = EVENT.replace("intervals = [[2023-12-17T15:00:00Z, 2023-12-17T22:00:00Z]]\n", "") + sessions
    (event,) = load_corpus(written(tmp_path, HEAD + text)).events
    assert event.networks[17557] == (Interval(from_iso("2023-12-17T17:00Z"), from_iso("2023-12-17T21:00Z")),)


@each(
    ("old", "new", "complaint"),
    [
        ("title =", "titel =", r"\[corpus\] titel: unknown key; did you mean 'title'"),
        ("since = 2023-12-01\n", "", r"\[corpus\] since: it is missing"),
        ("until = 2024-01-01", "until = 2023-01-01", "until: it must be after since"),
        ("until = 2024-01-01", 'until = "soon"', "until: 'soon' is not a time"),
        ("files = [", "files = 3 # [", "files: a list is needed"),
        ('source = "ooni", path', 'source = "ooni", shared = "x", path', r"files\[1\]\] path: give either"),
        ("[[event]]", "[[events]]", "events: unknown key; did you mean 'event'"),
        (
            'country = "PK"',
            'country = "Pakistan"',
            r"\[event\[1\]\] country: an ISO 3166-1 code .* not 'Pakistan'",
        ),
        ('kind = "blocking"', 'kind = "blocked"', "kind: 'blocked' is not one of .* did you mean 'blocking'"),
        ('targets = ["x"]', "targets = []", "targets: a list of strings is needed"),
        ("[17557]", '["AS17557"]', r"networks: a list of network numbers \(AS17557 is 17557\) is needed"),
        ("networks = [17557]\n", "", "networks: name the networks"),
        ("22:00:00Z]]", "14:00:00Z]]", "is not after"),
        ("22:00:00Z]]", "22:00:00Z], [2023-12-17T21:00:00Z]]", "two of them overlap"),
        ("2023-12-17T22", "2024-02-17T22", r"\[event\[1\]\] intervals: it is outside the window"),
        ('source = "a test"', 'source = "a test"\nmust = [1]', "must: .* are not among its networks"),
        ('source = "a test"', 'source = "a test"\nscope = "national"', "did you mean 'nation'"),
        ('source = "a test"', "", r"\[event\[1\]\] source: it is missing"),
        ("files = [", 'generated = "pakistan-2023"\nfiles = [', "did you mean 'pakistan-2023-12-17'"),
        ("files =", "# files =", "files: a corpus needs files"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_nearest_right_thing(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text = HEAD + EVENT
    assert old in text
    with pytest.raises(FanousError, match=complaint) as caught:
        load_corpus(written(tmp_path, text.replace(old, new, 1)))
    assert str(tmp_path / "events.toml") in str(caught.value)


def test_one_name_for_two_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="'one' occurs twice"):
        load_corpus(written(tmp_path, HEAD + EVENT + EVENT))


def test_an_invalid_corpus_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FanousError, match="is not a corpus"):
        load_corpus(tmp_path)
    with pytest.raises(FanousError, match="cannot be read as TOML"):
        load_corpus(written(tmp_path, "[corpus"))


def test_a_generator_writes_what_it_is_asked_for(tmp_path: Path) -> None:
    corpus = load_corpus(CORPORA / "quiet-synthetic")
    ((file, path),) = corpus_files(corpus, None, tmp_path)
    assert file.source == "ooni"
    assert path.stat().st_size > 1_000_000
    assert corpus.generated in GENERATORS


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    corpus = load_corpus(written(tmp_path, HEAD))
    with pytest.raises(FanousError, match=r"measurements.jsonl, which does not exist .*next to events.toml"):
        corpus_files(corpus, None, tmp_path)
    (tmp_path / "measurements.jsonl").touch()
    assert [(f.source, p) for f, p in corpus_files(corpus, None, tmp_path)] == [
        ("ooni", tmp_path / "measurements.jsonl")
    ]


def test_research_data_are_found_in_the_folder_that_is_named(tmp_path: Path) -> None:
    corpus = load_corpus(written(tmp_path, HEAD.replace("path =", "shared =")))
    assert missing_files(corpus, None) == missing_files(corpus, tmp_path) == ("measurements.jsonl",)
    with pytest.raises(FanousError, match=f"no folder of them was named: .* set {SHARED}"):
        corpus_files(corpus, None, tmp_path)
    with pytest.raises(FanousError, match=f"{tmp_path} lacks these: pass --data FOLDER"):
        corpus_files(corpus, tmp_path, tmp_path)
    (tmp_path / "measurements.jsonl").touch()
    assert missing_files(corpus, tmp_path) == ()


TRUTH = """
[publication.press]
publisher = "A newspaper"
title = "The evening"

[[quiet]]
country = "PK"
since = 2023-12-02
until = 2023-12-03
publication = "press"
source = "a test"
"""
TRUE_TIMES = """
[event.truth]
status = "suspected"
onset = { publication = "press", earliest = 2023-12-17T14:30:00Z, latest = 2023-12-17T15:10:00Z }
end = { publication = "press", earliest = 2023-12-17T22:00:00Z, latest = 2023-12-17T23:00:00Z }
level = { publication = "press", share = 0.5, low = 0.4, high = 0.6 }
"""


def test_a_truth_has_bounds_and_somebody_who_published_it(tmp_path: Path) -> None:
    corpus = load_corpus(written(tmp_path, HEAD + EVENT + TRUE_TIMES + TRUTH))
    (event,), (quiet,) = corpus.events, corpus.quiet
    assert event.truth.status == "suspected" and event.truth.onset is not None
    assert event.truth.onset.latest - event.truth.onset.earliest == 40 * 60
    assert corpus.publications[quiet.publication].publisher == "A newspaper"
    assert corpus.is_real


@each(
    ("old", "new", "complaint"),
    [
        (
            'onset = { publication = "press"',
            'onset = { publication = "pres"',
            "no .publication.pres.; did you mean 'press'",
        ),
        (
            'publication = "press"\nsource',
            'publication = "x"\nsource',
            r"quiet.1.. publication: there is no .publication.x.",
        ),
        (
            "earliest = 2023-12-17T14:30",
            "earliest = 2023-12-17T15:05",
            "say 2023-12-17T15:00:00Z, which is not between",
        ),
        (
            "earliest = 2023-12-17T14:30",
            "earliest = 2023-12-17T16:30",
            "latest: it must not be before earliest",
        ),
        ("latest = 2023-12-17T23:00", "latest = 2023-12-17T21:00", "latest: it must not be before earliest"),
        ("22:00:00Z]]", "21:00:00Z]]", "end: the intervals say 2023-12-17T21:00:00Z"),
        (", 2023-12-17T22:00:00Z]]", "]]", "end: the event goes on"),
        ("low = 0.4", "low = 0.55", "share: it must be between low and high"),
        ("share = 0.5", "share = 50", "share: a number from 0 to 1"),
        ('status = "suspected"', 'status = "ended"', "status: 'ended' is not one of"),
    ],
)
def test_a_truth_that_contradicts_itself_is_refused(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    text = HEAD + EVENT + TRUE_TIMES + TRUTH
    assert old in text
    with pytest.raises(FanousError, match=complaint):
        load_corpus(written(tmp_path, text.replace(old, new, 1)))


@each("folder", sorted(CORPORA.glob("*/")), ids=lambda folder: folder.name)
def test_every_real_event_says_what_is_known_from_whom_and_what_may_be_said(folder: Path) -> None:
    corpus = load_corpus(folder)
    for event in corpus.events if corpus.is_real else ():
        truth = event.truth
        assert truth.cut and truth.may_say and truth.must_not_say, event.id
        assert truth.onset is not None, event.id
        assert (truth.end is None) == (event.end is None), event.id


SERIES = """
[corpus]
title = "A corpus"
since = 2023-12-01
until = 2024-01-01
[[corpus.files]]
source = "csv"
path = "levels.csv"
country = "PK"
time = "t"
value = "v"
signal = "connectivity"
empty_is_zero = true

[[event]]
id = "one"
country = "PK"
kind = "outage"
intervals = [[2023-12-17T15:00:00Z]]
source = "a test"

[injection]
country = "PK"
signals = [["connectivity", "bgp"]]
losses = [0.1, 1]
hours = [3]
"""


def test_an_outage_needs_no_target_and_no_network(tmp_path: Path) -> None:
    corpus = load_corpus(written(tmp_path, SERIES))
    (event,) = corpus.events
    assert (event.targets, event.networks, event.end) == ((), {}, None)
    assert event.start == from_iso("2023-12-17T15:00Z")
    (file,) = corpus.files
    assert file.about is not None and file.about.columns is not None and file.about.columns.empty_is_zero
    assert corpus.injection is not None and corpus.injection.losses == (0.1, 1.0)


@each(
    ("right", "wrong", "why"),
    [
        ('kind = "outage"', 'kind = "blocking"', "name the networks"),
        ("losses = [0.1, 1]", 'losses = ["a"]', "a list of numbers"),
        ("hours = [3]", "hours = []", "a list of numbers"),
        ('[["connectivity", "bgp"]]', '["bgp"]', "a list of lists"),
        ('[["connectivity", "bgp"]]', '[["bpg"]]', "no such signals: bpg"),
        ("empty_is_zero = true", "empty_is_zero = 1", "true or false"),
        ('signal = "connectivity"', 'signal = "conectivity"', "did you mean 'connectivity'"),
        ('country = "PK"\ntime', "time", "country: it is missing"),
    ],
)
def test_what_is_wrong_with_series_is_reported(tmp_path: Path, right: str, wrong: str, why: str) -> None:
    assert right in SERIES
    with pytest.raises(FanousError, match=why):
        load_corpus(written(tmp_path, SERIES.replace(right, wrong, 1)))


PLANTED = """
[corpus]
title = "A test"
since = 2023-10-15
until = 2023-11-05
files = [{ source = "ooni-csv", path = "rows.csv" }]

[planting]
country = "KE"
targets = ["telegram"]
techniques = ["tls.reset"]
hours = [2, 0]
networks = [1, 3]
densities = [1, 0.5]
days = 28
"""


def test_a_planting_says_what_is_varied(tmp_path: Path) -> None:
    corpus = load_corpus(written(tmp_path, PLANTED))
    planting = corpus.planting
    assert planting is not None and corpus.countries == ("KE",)
    assert (planting.techniques, planting.hours, planting.networks) == (("tls.reset",), (2.0, 0.0), (1, 3))
    assert (planting.times, planting.quiet, planting.networks_quiet) == (1, 0, ())


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ('"tls.reset"', '"tls.rest"', "tls.rest: none of tcp.timeout"),
        ("days = 28", "days = 13", "at least two weeks longer than the longest event"),
        ("hours = [2, 0]", "hours = [400]", "at least two weeks longer than the longest event"),
        ("densities", "densites", "did you mean 'densities'"),
    ],
)
def test_what_is_wrong_with_a_planting_is_reported(tmp_path: Path, right: str, wrong: str, why: str) -> None:
    assert right in PLANTED
    with pytest.raises(FanousError, match=why):
        load_corpus(written(tmp_path, PLANTED.replace(right, wrong, 1)))


FAILURES = """
[corpus]
title = "A test"
since = 2023-10-15
until = 2023-11-05
files = [{ source = "ooni-csv", path = "rows.csv" }]

[sensitivity]
country = "KE"
target = "telegram"
since = 2023-10-15
until = 2023-11-05
"""


def test_planted_failures_have_a_quiet_time(tmp_path: Path) -> None:
    corpus = load_corpus(written(tmp_path, FAILURES))
    assert corpus.sensitivity is not None and not corpus.is_real
    assert (corpus.sensitivity.target, corpus.sensitivity.times) == ("telegram", 100)
    assert corpus.countries == ("KE",)
    backwards = FAILURES[: FAILURES.rindex("2023-11-05")] + "2023-10-14"
    with pytest.raises(FanousError, match=r"\[sensitivity\] until: it must be after since"):
        load_corpus(written(tmp_path, backwards))


WORLD = """
[corpus]
title = "A test"
since = 2023-10-15
until = 2023-11-05
files = [{ source = "ooni-csv", path = "rows.csv" }]

[world]
countries = ["KE", "UG", "TZ", "GH", "ZA", "MA"]
targets = ["telegram"]
technique = "tcp.timeout"
hours = [3, 24]
density = 2
days = 14
times = 3
"""


def test_a_world_says_where_and_how_long(tmp_path: Path) -> None:
    world = load_corpus(written(tmp_path, WORLD)).world
    assert world is not None
    assert (len(world.countries), world.technique, world.hours) == (6, "tcp.timeout", (3.0, 24.0))
    assert (world.density, world.days, world.times, world.networks_quiet) == (2.0, 14, 3, ())


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ('"tcp.timeout"', '"tcp.timout"', "did you mean 'tcp.timeout'"),
        ('"MA"]', '"KE"]', "6 different ones are needed"),
        ("hours = [3, 24]", "hours = [120]", "at least 10 days longer than the longest event"),
        ("density", "densty", "did you mean 'density'"),
    ],
)
def test_what_is_wrong_with_a_world_is_reported(tmp_path: Path, right: str, wrong: str, why: str) -> None:
    assert right in WORLD
    with pytest.raises(FanousError, match=why):
        load_corpus(written(tmp_path, WORLD.replace(right, wrong, 1)))
