"""Every command in the documents is run on a small store, or listed here with the reason why not.

The pages for newcomers are carried out by `test_start.py`, the claims by `test_story.py`.
"""

import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner

from fanous.cli.main import app
from fanous.monitor.recording import unpack
from tests.documents import (
    PAGES,
    ROOT,
    found_command,
    label,
    named_in,
    section,
    text_of,
    typed_in,
    unknown_words,
    words_of,
    wrong_usage,
)
from tests.each import each
from tests.refdata.sets import CITIZENLAB_DNS_HEADER, ooni_file
from tests.sources.ooni_csv.rows import csv_of, row
from tests.sources.signals.samples import SAMPLES
from tests.test_docs import ROOT_COMMAND, leaves

ELSEWHERE = {"docs/claims.md", *(label(page) for page in PAGES if page.parent.name == "start")}
"""Pages whose commands other tests carry out."""

NOT_RUN = {
    "collect": "receives until it is stopped; tests/collector starts it",
    "demo": "carried out by the pages for newcomers",
    "detect --config fanous.toml": "needs facts and ledger on servers; tests/cli/test_detect.py",
    "detect PK IR": "the same",
    "doctor": "tries the kernel's features; carried out by the page for organisations",
    "drain --queue": "needs servers of NATS; tests/collector/stream has some where they are installed",
    "evaluate": "takes minutes to hours; tests/evaluation/test_evaluate.py plays small corpora",
    "incidents name": "needs an incident of a site on no list; tests/publish/test_unlisted.py",
    "incidents hold": "would change what the commands after it say; tests/cli/test_review.py",
    "incidents merge": "the same",
    "incidents retract": "the same",
    "incidents signer": "signs until it is stopped; tests/publish/test_signer.py starts it",
    "ingest globalping": "reads what a round with others' vantage points wrote; tests/cli/test_via.py",
    "ingest atlas-measurements": "the same for RIPE Atlas probes; tests/cli/test_via_atlas.py",
    "init": "asks at the terminal; tests/cli/test_init.py",
    "lab down": "needs root; tests/lab",
    "lab record": "needs root, and minutes of real packets; tests/lab",
    "lab run": "needs root, and minutes of real packets; tests/lab",
    "lab shell": "needs root; tests/lab",
    "lab up": "needs root; tests/lab",
    "probe run": "measures the internet; tests/probe has servers of its own",
    "probe serve": "answers until it is stopped; tests/probe asks it",
    "probe stream": "measures the internet; tests/probe",
    "pull": "asks publishers on the internet; tests/sources has servers that answer as they do",
    "queue": "needs servers of NATS; tests/collector/stream",
    "refdata accept": "needs a digest that --list shows; tests/cli/test_refdata.py types what it prints",
    "refdata lists": "without --from it fetches from the internet; tests/cli/test_refdata.py",
    "refdata upstreams": "needs routing tables of hundreds of MB; tests/cli/test_refdata.py gives it small ones",
    "refdata update": "without --from it fetches from the internet; tests/refdata",
    "run": "goes on until it is stopped; tests/monitor starts it",
    "scan": "needs root, and sends to others' addresses; tests/scan",
}
"""The beginning of commands that no test can carry out as they are typed, each with the reason.  Their words,
options and arguments are checked nevertheless."""

EVENT = "event.jsonl.gz"
INCIDENT = "PK-2023-0001"
NOBODY = "20231217T000000Z_webconnectivity_PK_17557_n1_nobody"

RUN = {
    "fanous --help": "",
    "fanous probe consent": "",
    "fanous probe list": "",
    "fanous probe consent --withdraw": "",
    "fanous lab list": "",
    "fanous lab list --json": "",
    "fanous ingest edge FILE...": f"fanous ingest edge {EVENT} --config fanous.toml",
    "fanous ingest ooni 2023121715_PK_webconnectivity.n0.0.jsonl.gz": "",
    "fanous ingest ooni FILE...": "fanous ingest ooni 2023121715_PK_webconnectivity.n0.0.jsonl.gz",
    "fanous ingest ooni-csv FILE...": "fanous ingest ooni-csv observations.csv",
    "fanous judge FILE --json": "fanous judge 2023121715_PK_webconnectivity.n0.0.jsonl.gz --json",
    "fanous judge FILE...": "fanous judge 2023121715_PK_webconnectivity.n0.0.jsonl.gz",
    "fanous confirm CC": "fanous confirm PK",
    "fanous confirm PK --json": "",
    "fanous confirm PK --since 2023-12-17 --until 2023-12-18": "",
    "fanous confirm --fail-on confirmed": "fanous confirm PK --since 2024-01-01 --fail-on confirmed",
    "fanous confirm PK --since 2023-12-17 --fail-on confirmed": "fanous confirm PK --fail-on confirmed",
    "fanous confirm CC --since YESTERDAY": "fanous confirm PK --since 2023-12-17",
    "fanous confirm CC --why": "fanous confirm PK --since 2023-12-17 --why",
    "fanous confirm CC --sensitivity": "fanous confirm PK --target x --sensitivity",
    "fanous incidents list": "",
    "fanous incidents list --json": "",
    "fanous incidents show ID": f"fanous incidents show {INCIDENT}",
    "fanous incidents show ID --json": f"fanous incidents show {INCIDENT} --json",
    "fanous incidents approve ID --by NAME": f"fanous incidents approve {INCIDENT} --by Ayesha",
    "fanous incidents note ID --by NAME --note TEXT": f"fanous incidents note {INCIDENT} --by Ayesha --note x",
    "fanous incidents role NAME --role ROLE": "fanous incidents role Ayesha --role editor",
    "fanous incidents corrections": "",
    "fanous incidents corrections --json": "",
    "fanous incidents key --new": "",
    "fanous incidents key": "",
    "fanous incidents key --json": "",
    "fanous incidents bundle ID -o FILE": f"fanous incidents bundle {INCIDENT} -o it.fanous --json",
    "fanous incidents bundle ID -o FILE --json": f"fanous incidents bundle {INCIDENT} -o it.fanous --json",
    "fanous verify BUNDLE": "fanous verify it.fanous --json",
    "fanous verify FILE": "fanous verify it.fanous --json",
    "fanous verify BUNDLE --json": "fanous verify it.fanous --json",
    "fanous verify BUNDLE --series STORE": "fanous verify it.fanous --json --series ~/.local/share/fanous/store",
    "fanous incidents report ID -o FOLDER": f"fanous incidents report {INCIDENT} -o report --json",
    "fanous incidents report ID -o FOLDER --json": f"fanous incidents report {INCIDENT} -o report --json",
    "fanous cost ID": f"fanous cost {INCIDENT}",
    "fanous cost CC --hours H": "fanous cost PK --hours 8",
    "fanous networks": "",
    "fanous networks --json": "",
    "fanous networks CC": "fanous networks PK",
    "fanous networks PK": "",
    "fanous networks --counts FILE": "fanous networks --counts counts.csv",
    "fanous doctor --store ~/.local/share/fanous/store": "",
    "fanous events add --country CC": "fanous events add --country PK --start 2030-12-17T16:00Z --end "
    "2030-12-17T19:00Z --title Rally",
    "fanous events list": "",
    "fanous events list --json": "",
    "fanous events report ID": "fanous events report PK-watch-1",
    "fanous events report ID --json": "fanous events report PK-watch-1 --json",
    "fanous claims add CC": "fanous claims add PK --who NetBlocks --what disrupted --target x --since "
    "2023-12-17 --until 2023-12-18",
    "fanous claims list": "",
    "fanous claims list --json": "",
    "fanous claims check": "",
    "fanous claims check --json": "",
    "fanous alerts test": "fanous alerts test --config fanous.toml",
    "fanous alerts test --json": "fanous alerts test --config fanous.toml --json",
    "fanous alerts test --config fanous.toml": "",
    "fanous alerts send": "fanous alerts send --config fanous.toml",
    "fanous alerts send --json": "fanous alerts send --config fanous.toml --json",
    "fanous alerts send --config fanous.toml": "",
    "fanous alerts list": "",
    "fanous alerts list --json": "",
    "fanous alerts list --state dead": "",
    "fanous alerts retry": "fanous alerts retry --all",
    "fanous alerts retry --all": "",
    "fanous export -o FOLDER": "fanous export -o open --json",
    "fanous export -o FOLDER --json": "fanous export -o open --json",
    "fanous orders key FILE": "fanous orders key other.pem",
    "fanous orders key organisation.pem": "",
    "fanous orders sign orders.toml --key organisation.pem --out orders.json": "",
    "fanous orders key root.pem": "",
    "fanous orders key new.pem": "",
    "fanous orders revoke fanous-orders:OLD --root root.pem --successor fanous-orders:NEW --out revocation.json": (
        f"fanous orders revoke fanous-orders:{'A' * 43}= --root root.pem --out revocation.json"
    ),
    "fanous orders sign orders.toml --key new.pem --revocation revocation.json --out orders.json": (
        "fanous orders sign orders.toml --key new.pem --revocation revocation.json --out next.json"
    ),
    "fanous refdata update --from http.csv --from dns.csv": "",
    "fanous refdata update --from users.toml": "",
    "fanous refdata update --from FILE.toml": "fanous refdata update --from users.toml",
    "fanous refdata update --list": "",
    "fanous refdata update --list --json": "",
    "fanous detect": "",
    "fanous detect [CC]": "fanous detect PK",
    "fanous drain": "fanous drain I",
    "fanous drain INBOX": "fanous drain I",
    "fanous drain --no-detect": "fanous drain I --no-detect",
    "fanous drain I --store S": "",
    "fanous drain INBOX/apart --store S": "fanous drain I/apart",
    "fanous drain I/apart": "",
    "fanous retain --config FILE": "fanous retain --config fanous.toml --dry-run",
    "fanous retain --config fanous.toml --dry-run": "",
    "fanous retain --config fanous.toml": "",
    "fanous rejudge": "",
    "fanous rejudge --all": "",
    "fanous rejudge CC": "fanous rejudge PK",
    "fanous rejudge PK": "",
    "fanous rejudge PK --all": "",
    "fanous rejudge --config fanous.toml": "",
    "fanous forget REPORT_ID...": f"fanous forget {NOBODY}",
    "fanous forget REPORT_ID... --json": f"fanous forget {NOBODY} --json",
    "fanous forget REPORT_ID... --store S --inbox S.inbox": f"fanous forget {NOBODY} --store S --inbox I",
    # What follows has years before and after it, over which all that is asked of a country takes longer.
    "fanous ingest ioda-csv FILE... --country CC": "fanous ingest ioda-csv ioda.csv --country PK",
    "fanous ingest SOURCE FILE... --country CC": "fanous ingest tor userstats-relay-country.csv --country PK",
    "fanous ingest csv FILE... --country CC --time COLUMN --value COLUMN": "fanous ingest csv table.csv "
    "--country PK --time time --value value",
    "fanous ingest csv iran.csv --country IR --time time_e_str --value connectivity --entity name_1 "
    "--zone Asia/Tehran": "",
    "fanous ingest csv bago.csv --country MM --time time_local_str --value ip_hash --entity name_1 "
    "--zone +06:30 --signal responders --gather distinct --empty-is-zero": "",
    "fanous signals CC": "fanous signals PK",
    "fanous signals PK": "",
    "fanous signals PK --store week": "fanous signals PK",
    "fanous init PK": "fanous init PK --config own.toml",
    "fanous init CC...": "fanous init PK --config other.toml",
}
"""In this order, each once: a command of the documents, and what is typed where words in it stand for others.
What the pages for newcomers type without ``--json`` is typed with it."""

ENDS_WITH_1 = ("doctor",)
"""That something is wrong (a disk of the machine that is nearly full) is an answer, too."""

CONFIGURATION = """
[store]
folder = "{store}"
[review]
national = true
[retention]
observations_days = 180
[alerts.channels.desk]
webhook = "{webhook}"
secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
[[alerts.rules]]
channels = ["desk"]
"""


def documented() -> set[str]:
    """Commands in blocks, and those in sentences that could be typed unchanged."""
    pages = [page for page in PAGES if label(page) not in ELSEWHERE]
    found = {typed for page in pages for typed in typed_in(page)}
    named = {typed for page in pages for typed in named_in(page)}
    whole = {t for t in named if not unknown_words(t, ROOT_COMMAND) and not wrong_usage(t, ROOT_COMMAND)}
    return found | whole


def excuse_of(typed: str) -> str:
    """The beginning in ``NOT_RUN`` that a command has; empty = none."""
    words = words_of(typed)
    begins = (begin for begin in NOT_RUN if words[: len(begin.split())] == begin.split())
    return max(begins, key=len, default="")


@pytest.fixture
def webhook() -> Iterator[str]:
    """Accepts everything that is sent to it."""

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Takes) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: str) -> Path:
    """A home with the files that the commands name: the recorded event as far as X, and small tables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / ".local" / "share"))
    store = tmp_path / ".local" / "share" / "fanous" / "store"
    (tmp_path / "fanous.toml").write_text(CONFIGURATION.format(store=store, webhook=webhook))
    unpack("pakistan-2023-12-17", tmp_path / "all.jsonl")
    lines = (tmp_path / "all.jsonl").read_bytes().splitlines(keepends=True)
    event = [line for line in lines if json.loads(line)["input"] == "https://x.com/"][::2]
    (tmp_path / EVENT).write_bytes(gzip.compress(b"".join(event)))
    ooni = tmp_path / "2023121715_PK_webconnectivity.n0.0.jsonl.gz"
    ooni.write_bytes(gzip.compress(b"".join(event[:20])))
    (tmp_path / "I" / "apart").mkdir(parents=True)
    for name, content in tables().items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def tables() -> dict[str, bytes]:
    """File -> content."""
    text = "\n".join(section(text_of(ROOT / "docs" / "formats.md"), "### User figures"))
    return {
        "observations.csv": csv_of(row()),
        "ioda.csv": SAMPLES["ioda-csv"],
        "table.csv": SAMPLES["csv"],
        "userstats-relay-country.csv": SAMPLES["tor"],
        "iran.csv": b"time_e_str,connectivity,name_1\n2019-11-16 12:00,0.5,Tehran\n",
        "bago.csv": b"time_local_str,ip_hash,name_1\n2021-02-01 12:00,ab,Bago\n",
        "counts.csv": b"count,test_day,probe_asn\n10,2023-12-16,17557\n12,2023-12-17,17557\n",
        "http.csv": ooni_file(3).encode(),
        "dns.csv": (CITIZENLAB_DNS_HEADER + "isp_zz_test,203.0.113.7,10,,[''],isp,['PK'],\n").encode(),
        "users.toml": text.partition("```toml\n")[2].partition("```")[0].encode(),
        "orders.toml": b'urls = ["https://x.com/"]\napps = ["telegram"]\n',
    }


@pytest.mark.matrix
def test_every_command_of_the_documents_that_can_be_carried_out_works(place: Path) -> None:
    for command in dict.fromkeys(instead or typed for typed, instead in RUN.items()):
        words = [word.replace("~", str(place)) for word in words_of(command)]
        ran = CliRunner().invoke(app, words, input="y\n")
        expected = (0, 1) if words[0] in ENDS_WITH_1 else (0,)
        assert ran.exit_code in expected, f"{command}\n{ran.output}\n{ran.exception!r}"


def test_every_command_of_the_documents_is_carried_out_or_excused() -> None:
    assert {typed for typed in documented() if typed not in RUN and not excuse_of(typed)} == set()


def test_no_command_is_listed_that_the_documents_do_not_have() -> None:
    named = {typed for page in PAGES for typed in named_in(page)}
    assert RUN.keys() - documented() - named == set()
    assert NOT_RUN.keys() - {excuse_of(typed) for typed in documented()} == set()


@each("typed", sorted({typed for page in PAGES for typed in typed_in(page)}))
def test_a_command_of_a_block_has_the_options_and_arguments_that_it_needs(typed: str) -> None:
    assert wrong_usage(typed, ROOT_COMMAND) == ""


@each("words", leaves(), ids=" ".join)
def test_every_command_of_the_program_is_carried_out_somewhere_or_excused(words: tuple[str, ...]) -> None:
    ran = [*RUN, *(typed for page in PAGES if label(page) in ELSEWHERE for typed in typed_in(page))]
    paths = {found_command(words_of(typed), ROOT_COMMAND)[0] for typed in ran}
    assert words in paths or excuse_of(f"fanous {' '.join(words)}")


def test_a_command_represents_its_own_kind() -> None:
    for typed, instead in RUN.items():
        path, _, _ = found_command(words_of(typed), ROOT_COMMAND)
        assert not instead or found_command(words_of(instead), ROOT_COMMAND)[0] == path
