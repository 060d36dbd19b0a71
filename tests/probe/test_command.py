"""``fanous probe``: consent, a run against a real server, and what it prints."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fanous.cli.probe import probe_app
from fanous.collector.door import Policy
from fanous.errors import FanousError
from fanous.pipeline.judge import judge_files
from fanous.probe.allowance import repeat
from tests.collector.threads import door
from tests.probe.net import servers
from tests.probe.net.authority import Authority


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A site on loopback, served by a separate thread: its URL and the authority to trust."""
    authority, loop = Authority(tmp_path), asyncio.new_event_loop()
    stop, ports, ready = asyncio.Event(), list[int](), threading.Event()

    async def serve() -> None:
        async with servers.tcp_server(servers.pages(), authority.context("127.0.0.1")) as port:
            ports.append(port)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(5)
    yield f"https://127.0.0.1:{ports[0]}/", authority.ca_file
    loop.call_soon_threadsafe(stop.set)
    thread.join(5)
    loop.close()


def fanous_probe(*words: str | Path, stdin: str = "") -> Result:
    result = CliRunner().invoke(probe_app, [str(word) for word in words], input=stdin)
    if isinstance(result.exception, FanousError):
        raise result.exception
    return result


def test_nothing_is_sent_before_consent(site: tuple[str, Path]) -> None:
    url, ca_file = site
    with pytest.raises(FanousError, match="nothing was sent: consent first"):
        fanous_probe("run", "-i", url, "--ca-file", ca_file, "--json")


def test_consent_once_given_holds_until_it_is_withdrawn(site: tuple[str, Path]) -> None:
    url, ca_file = site
    run = ("run", "-i", url, "--ca-file", ca_file, "--json", "--no-health")
    assert fanous_probe("consent", stdin="n\n").exit_code == 1
    assert fanous_probe("consent", "--yes").exit_code == 0
    assert fanous_probe(*run).exit_code == 0
    assert "withdrawn" in fanous_probe("consent", "--withdraw").stdout
    with pytest.raises(FanousError, match="consent first"):
        fanous_probe(*run)


def test_localising_needs_separate_consent_each_time(site: tuple[str, Path]) -> None:
    url, ca_file = site
    fanous_probe("consent", "--yes")
    run = ("run", "-i", url, "--ca-file", ca_file, "--json", "--no-health")
    with pytest.raises(FanousError, match="--localise needs your consent each time"):
        fanous_probe(*run, "--localise")
    (target,) = json.loads(fanous_probe(*run, "--localise", "--yes").stdout)["targets"]
    assert target["endpoints"][0]["localised"] is None  # nothing was cut


def test_consent_is_asked_in_the_persons_language() -> None:
    assert "کیا آپ راضی ہیں؟" in fanous_probe("consent", "--lang", "ur", stdin="n\n").stdout
    assert "Do you consent?" in fanous_probe("consent", "--lang", "my", stdin="n\n").stdout


def test_withdrawing_deletes_what_waits_and_names_what_was_sent(
    site: tuple[str, Path], tmp_path: Path
) -> None:
    url, ca_file = site
    run = ("run", "-i", url, "--yes", "--json", "--no-health", "--ca-file", ca_file, "--country", "PK")
    with door(tmp_path / "inbox", Policy()) as client:
        fanous_probe(*run, "--collector", str(client.base_url))
    fanous_probe(*run, "--collector", "http://127.0.0.1:9")
    said = fanous_probe("consent", "--withdraw").stdout
    assert "1 unsent measurements deleted" in said
    assert "_webconnectivity_PK_0_" in said
    assert list((tmp_path / "data" / "fanous" / "probe" / "spool").glob("*.json")) == [
        tmp_path / "data" / "fanous" / "probe" / "spool" / "reports.json"
    ]


def test_json_is_one_document_and_the_file_is_judged_alike(site: tuple[str, Path], tmp_path: Path) -> None:
    url, ca_file = site
    out = tmp_path / "o.jsonl"
    result = fanous_probe(
        *("run", "-i", url, "--yes", "--json", "--no-health", "--ca-file", ca_file, "--out", out),
        *("--country", "pk", "--asn", "17557"),
    )
    (target,) = json.loads(result.stdout)["targets"]
    assert (target["target"], target["state"]) == ("127.0.0.1", "ok")
    judged, rejects = judge_files([out])
    assert rejects == []
    assert {verdict["state"] for verdict in judged[0]["verdicts"]} == {"ok"}


def test_a_person_gets_a_table_and_a_sentence(site: tuple[str, Path], tmp_path: Path) -> None:
    url, ca_file = site
    out = tmp_path / "o.jsonl"
    result = fanous_probe("run", "-i", url, "--yes", "--no-health", "--ca-file", ca_file, "--out", out)
    assert result.stdout.startswith("1 of 1 site worked.\n")
    assert "Works from here: 127.0.0.1." in result.stdout
    assert f"\n\nAdded 1 measurement to {out}; run" in result.stdout
    assert "1 of 1 addresses measured" in result.stderr
    unkept = fanous_probe("run", "-i", url, "--yes", "--no-health", "--ca-file", ca_file).stdout
    assert unkept.endswith(
        "Not sent anywhere, and not kept: add --collector URL to send it, or --out FILE to keep it.\n"
    )


COUNTED = ("acknowledged", "refused", "waiting")


def test_measurements_reach_a_collector_and_wait_where_it_cannot_be_reached(
    site: tuple[str, Path], tmp_path: Path
) -> None:
    url, ca_file = site
    run = ("run", "-i", url, "--yes", "--json", "--no-health", "--ca-file", ca_file, "--country", "PK")
    nobody = json.loads(fanous_probe(*run, "--collector", "http://127.0.0.1:9").stdout)["sent"]
    assert {name: nobody[name] for name in COUNTED} == {"acknowledged": 0, "refused": 0, "waiting": 1}
    assert nobody["why"].startswith("http://127.0.0.1:9: ")
    with door(tmp_path / "inbox", Policy()) as client:
        sent = json.loads(fanous_probe(*run, "--collector", str(client.base_url)).stdout)["sent"]
    assert {name: sent[name] for name in COUNTED} == {"acknowledged": 2, "refused": 0, "waiting": 0}
    assert sent["why"] == ""


def test_rounds_send_what_was_measured_after_each(site: tuple[str, Path], tmp_path: Path) -> None:
    url, ca_file = site
    rounds = (
        "run",
        "--every",
        "10m",
        "--rounds",
        "1",
        "-i",
        url,
        "--yes",
        "--no-health",
        "--ca-file",
        ca_file,
    )
    assert (
        "0 measurements acknowledged, 1 waiting for the next run: no collector took it"
        in fanous_probe(*rounds, "--collector", "http://127.0.0.1:9").stdout
    )
    with door(tmp_path / "inbox", Policy()) as client:
        sent = fanous_probe(*rounds, "--collector", str(client.base_url)).stdout
    assert "2 measurements acknowledged." in sent


def test_rounds_go_on_at_their_interval_and_print_a_line_each(
    site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, ca_file = site
    told = list[tuple[float, float, int]]()

    def once(
        one_round: Callable[[int], None], seconds: Callable[[], float], least: float, *, rounds: int
    ) -> None:
        one_round(0)
        told.append((seconds(), least, rounds))

    monkeypatch.setattr("fanous.probe.allowance.repeat", once)
    run = ("run", "--yes", "-i", url, "--no-health", "--ca-file", ca_file)
    (line,) = fanous_probe(*run, "--every", "1h").stdout.splitlines()
    assert line.endswith("Z  1 of 1 work")
    fanous_probe(*run, "--every", "90s", "--organisation", "--rounds", "7")
    assert told == [(3600.0, 600.0, 0), (90.0, 60.0, 7)]


def test_withdrawing_consent_ends_the_rounds(site: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, ca_file = site
    fanous_probe("consent", "--yes")
    slept = list[float]()

    def withdraw(seconds: float) -> None:
        slept.append(seconds)
        fanous_probe("consent", "--withdraw")

    monkeypatch.setattr("fanous.probe.allowance.repeat", partial(repeat, sleep=withdraw))
    with pytest.raises(FanousError, match="nothing was sent: consent first"):
        fanous_probe("run", "--every", "10m", "-i", url, "--no-health", "--ca-file", ca_file)
    assert len(slept) == 1


def test_an_announced_event_hastens_an_organisation_alone(
    site: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, ca_file = site
    calendar = tmp_path / "now.ics"
    calendar.write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Exams\nDTSTART:20200101T000000Z\n"
        "DTEND:20990101T000000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    slept = list[float]()
    monkeypatch.setattr("fanous.probe.allowance.repeat", partial(repeat, sleep=slept.append))
    run = ("run", "--every", "1h", "--rounds", "2", "--during", calendar, "--yes", "-i", url, "--no-health")
    assert "is never measured more often" in fanous_probe(*run, "--ca-file", ca_file).stderr
    assert fanous_probe(*run, "--ca-file", ca_file, "--organisation").stderr == ""
    assert slept[0] >= 2880.0
    assert slept[1] <= 72.0


@pytest.mark.parametrize(
    "text", ["600", "10", "10 m", "1.5h", "-5m", "m", "10min", "1d", "", "1h30m", "soon"]
)
def test_what_is_no_length_of_time_is_wrong_usage(text: str) -> None:
    ran = fanous_probe("run", "--every", text, "--yes")
    assert ran.exit_code == 2
    assert "is not a length of time such as 90s" in ran.stderr


@pytest.mark.parametrize(
    ("words", "least"),
    [(("--every", "599s"), "at least 600 s"), (("--every", "59s", "--organisation"), "at least 60 s")],
)
def test_rounds_that_would_come_too_fast_are_refused(words: tuple[str, ...], least: str) -> None:
    with pytest.raises(FanousError, match=least):
        fanous_probe("run", *words, "--yes")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--organisation",), "--organisation needs --every"),
        (("--during", "a.ics"), "--during needs --every"),
        (("--rounds", "0"), "--rounds needs --every"),
        (("--every", "10m", "--json"), "--json is for a single run"),
        (("--every", "10m", "--localise"), "--localise is for a single run"),
    ],
)
def test_options_of_rounds_and_of_a_single_run_do_not_mix(words: tuple[str, ...], why: str) -> None:
    ran = fanous_probe("run", *words, "--yes")
    assert ran.exit_code == 2
    assert why in ran.stderr


def test_a_stream_is_answered_in_words_and_sent(site: tuple[str, Path], tmp_path: Path) -> None:
    url, ca_file = site
    stream = ("stream", url + "a.m3u8", "--yes", "--ca-file", ca_file, "--country", "PK")
    assert "cannot tell, neither an HLS playlist" in fanous_probe(*stream).stdout
    with door(tmp_path / "inbox", Policy()) as client:
        said = json.loads(fanous_probe(*stream, "--collector", str(client.base_url), "--json").stdout)
    assert {name: said["sent"][name] for name in COUNTED} == {"acknowledged": 1, "refused": 0, "waiting": 0}
    assert said["sent"]["apart"] == {"place_unknown": 1}, "its network was not named"
    assert said["streams"][0]["kind"] == "hls"


def test_what_was_spent_counts_against_the_next_run(site: tuple[str, Path]) -> None:
    url, ca_file = site
    run = ("run", "-i", url, "--yes", "--no-health", "--json", "--ca-file", ca_file)
    assert json.loads(fanous_probe(*run).stdout)["targets"][0]["state"] == "ok"
    capped = json.loads(fanous_probe(*run, "--cap-mb", "0.001").stdout)["targets"][0]
    assert capped["state"] == "insufficient" and "data cap" in capped["why"]


def test_a_country_on_the_list_is_refused() -> None:
    with pytest.raises(FanousError, match="may endanger you"):
        fanous_probe("run", "--country", "KP", "--yes", "--json")


def test_a_word_that_is_no_country_is_wrong_usage() -> None:
    assert fanous_probe("run", "--country", "Narnia", "--yes").exit_code == 2


def test_the_lists_are_listed() -> None:
    listed = fanous_probe("list").stdout
    assert "social" in listed and "opt-in" in listed


def test_a_list_shows_what_is_in_it() -> None:
    shown = fanous_probe("list", "social").stdout.splitlines()
    assert "https://x.com/" in shown and "telegram (the app itself)" in shown


def test_what_a_list_holds_that_is_not_a_url_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("https://a.example/\n" + "".join(f"{n}.example\n" for n in range(7)))
    shown = fanous_probe("list", str(path))
    assert shown.stdout == "https://a.example/\n"
    assert "not an http:// or https:// URL: line 2: '0.example'" in shown.stderr
    assert shown.stderr.endswith("... and 2 more\n")


def test_an_invalid_url_is_named() -> None:
    with pytest.raises(FanousError, match="is not a website URL"):
        fanous_probe("run", "-i", "gopher://a.example", "--yes", "--json")
