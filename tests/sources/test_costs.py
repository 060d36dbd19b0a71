"""No one can make the reading of records slow: work grows with the bytes, and what does not is counted."""

import ast
import base64
import gc
import importlib
import inspect
import json
import pkgutil
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fanous
from fanous.analysis.rules import judge
from fanous.collector.helper import title_of
from fanous.errors import Rejected
from fanous.model.measurement import Record
from fanous.pipeline.judge import Ingested, judge_files, judge_record, known_fingerprints
from fanous.probe.trace import line
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.ooni import document as ooni_document
from fanous.sources.ooni.content import repair, scrub
from fanous.sources.ooni.disguises import _patterns_of, _spread, foreign
from fanous.sources.ooni.document import MOST_ANSWERS, MOST_REPAIRS, MOST_STEPS, TooCostly
from fanous.sources.ooni.keep import take
from fanous.sources.redaction import quiet_url, without_names, without_seconds
from fanous.web.routes import PAGES, RESOURCES
from tests.each import each
from tests.sources.records import control, document, encoded, handshake, query, transaction, web_keys

PROBE = "198.51.100.7"

TIMES_AS_LONG = 8
"""How much longer the second text is than the first.  Linear work then takes about 8 times as long, quadratic 64."""

MOST_TIMES = 24
TINY = 0.02
"""Seconds of processor time: less is not compared, since it says more about the machine than about the work."""


def grows_linearly(work: Callable[[Any], object], text: Callable[[int], Any], size: int) -> bool:
    """Is the work on a text of eight times the size less than 24 times the work?"""
    long = _seconds(work, text(TIMES_AS_LONG * size))
    return long < TINY or long < MOST_TIMES * max(_seconds(work, text(size)), TINY / TIMES_AS_LONG**2)


def _seconds(work: Callable[[Any], object], text: Any) -> float:
    best = float("inf")
    for _ in range(2):
        start = time.process_time()
        work(text)
        best = min(best, time.process_time() - start)
        if best < TINY:
            break
    return best


def _modules() -> Iterator[ModuleType]:
    """All but the lab's, which reads scenarios of its operator's only."""
    for found in pkgutil.walk_packages(fanous.__path__, "fanous."):
        if found.name != "fanous.__main__" and not found.name.startswith("fanous_lab."):
            yield importlib.import_module(found.name)


def _patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _patterns_in(one)
    elif isinstance(value, list | tuple | frozenset):
        for one in value:
            yield from _patterns_in(one)


def _patterns() -> dict[str, re.Pattern[Any]]:
    return {
        f"{module.__name__.removeprefix('fanous.')}.{name}.{number}": pattern
        for module in _modules()
        for name, value in vars(module).items()
        for number, pattern in enumerate(_patterns_in(value))
    }


def _written_in_place() -> dict[str, re.Pattern[Any]]:
    """Patterns that a function hands to ``re`` itself."""
    found = {}
    for module in _modules():
        name = module.__name__.removeprefix("fanous.")
        whole = ast.walk(ast.parse(inspect.getsource(module)))
        for function in (one for one in whole if isinstance(one, ast.FunctionDef)):
            for call in ast.walk(function):
                if not (isinstance(call, ast.Call) and ast.unparse(call.func) in HANDED):
                    continue
                if isinstance(call.args[0], ast.Constant):
                    text: Any = call.args[0].value
                    use = ast.unparse(call.func)
                    found[f"{use} in {name}.{function.name} {text!r}"] = re.compile(text)
                else:
                    assert f"{name}.{function.name}" in MADE, (name, function.name, ast.unparse(call))
    return found


HANDED = frozenset(
    f"re.{one}" for one in ("compile", "sub", "match", "search", "fullmatch", "split", "findall", "finditer")
)

MADE = {
    "analysis.rules.fingerprints.passages": "a fingerprint, up to its first occurrence",
    "analysis.rules.fingerprints.__init__": "fingerprints, over the part of a page that they are searched in",
    "config._refusal": "the operator's own file",
    "config.line_of": "the operator's own file",
    "pipeline.doctor._wants": "what an installed package declares",
    "probe.serve.__post_init__": "the operator's own patterns",
    "probe.serve._regexps": "the operator's own patterns",
    "sources.ooni.disguises.spans": "of an address: ``_of_disguises``",
    "sources.ooni.disguises._four_numbers": "of an address: ``_of_disguises``",
    "sources.ooni.disguises._spread": "of an address: ``_of_disguises``",
    "sources.ooni_csv._shaped": "forms of columns, which are in this module's table",
    "sources.ooni.content._database": "one of this module's own",
    "web.desk._page": "of the addresses of pages, which are among these",
    "web.pages.incidents._offered": "of the addresses of pages, which are among these",
    "web.templates._short_names": "names of platforms, which are ours, and ids of incidents",
    "web.answers.fitting": "of the addresses of pages, which are among these",
}
"""Functions that put patterns together, or are given them: which they are."""


def _of_addresses() -> dict[str, re.Pattern[Any]]:
    """What a page or file takes after the question mark."""
    asked = [(one.path, one.asks) for one in PAGES] + [(one.path, one.feed_asks) for one in PAGES]
    asked += [(one.path, one.asks) for one in RESOURCES]
    return {
        f"re.fullmatch in {path} {name} {pattern!r}": re.compile(pattern)
        for path, asks in asked
        for name, pattern in asks.items()
    }


def _of_disguises() -> dict[str, re.Pattern[Any]]:
    """What an address is looked for with."""
    sixes = map(IPv6Address, ("2001:db8:0:1::abcd", "2001::1", "11:1:1:1:1:1:1:11"))
    made = {
        f"disguise of {six} {pattern!r}": re.compile(pattern)
        for six in sixes
        for pattern in _patterns_of(six, six.exploded.encode(), six.packed.hex().encode())
    }
    for four in map(IPv4Address, ("198.51.100.7", "111.11.111.1")):
        made |= {f"disguise of {four}": pattern for pattern in _spread(four)}
    assert len(made) > 7
    return made


@cache
def patterns() -> dict[str, re.Pattern[Any]]:
    return _patterns() | _written_in_place() | _of_addresses() | _of_disguises()


_ATOMS = (
    *(
        " ",
        "a",
        "1",
        "0",
        "A1",
        "0:",
        "0::",
        ":",
        "1.",
        "1-",
        "-",
        "_",
        "a-",
        "f.",
        '"',
        "'",
        '\\"',
        "\\",
        "\\u",
    ),
    *(
        "%",
        "%31",
        "%25",
        "&#",
        "&#49;",
        "/",
        "//",
        "//1",
        "//a",
        "@",
        "a@",
        "a.b@",
        ";a=",
        "=",
        "==",
        "<",
        "<title",
    ),
    *(
        "<meta ",
        "charset=",
        "+1 ",
        "1 ",
        "(1",
        "10:00:00.",
        "request",
        "id",
        '"ip":',
        '"data":"A',
        '"ip": ',
        "x:",
        *("1 ", "1<b>", "<b>1", '<="', "%00", "\\n", "1\\u000a"),
        *("198 ", "198=2e", "c6 ", "c6,", "2001:", "2001_", "1xx", "0:0 ", "\\u{2e}"),
    ),
)


def _own_words(pattern: str) -> set[str]:
    """Texts in a pattern's own source: near misses of what it looks for."""
    return set(re.findall(r"[A-Za-z<>:;,=\" ]{2,20}", pattern))


AT_ONE_PLACE = {
    "collector.inbox._NAME.0": "whole names of files",
    "web.setup.LISTEN.0": "a field of the operator's own form",
    "probe.serve._DURATION.0": "a duration in the operator's own file",
    "config._HEADER.0": "a line of the operator's own file",
    "collector.stream.address._URL.0": "the operator's own address",
    "sources.ooni.content._NUMBER.0": "what follows a key; the blanks after each are its own",
    "sources.ooni.content._VALUE.0": "what follows a key; the blanks after each are its own",
    "sources.signals.ioda_csv._SIGNALS.4": "the header of a column, clipped",
    "sources.signals.ioda_csv._SIGNALS.5": "the header of a column, clipped",
}
"""Patterns that are tried at one place of a text, not at every one; what that is."""


@each("name", lambda: sorted(patterns()))
def test_no_pattern_goes_back_over_what_it_has_read(name: str) -> None:
    pattern = patterns()[name]
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    for atom in {*_ATOMS, *_own_words(source)}:

        def text(size: int, atom: str = atom) -> Any:
            whole = (atom * (size // len(atom) + 1))[:size]
            return whole if isinstance(pattern.pattern, str) else whole.encode("latin-1")

        def everywhere(data: Any) -> object:
            if name in AT_ONE_PLACE or name.startswith(("re.match", "re.fullmatch")):
                return (pattern.fullmatch if name.startswith("re.fullmatch") else pattern.match)(data)
            return sum(1 for _ in pattern.finditer(data))

        assert grows_linearly(everywhere, text, 1_000), (name, atom)


def told(text: str, **given: Any) -> bytes:
    return encoded(document({}, probe_ip=PROBE, input=text, **given))


def _poison(value: bytes) -> bytes:
    return encoded(document({})).replace(b'"test_keys"', b'"probe_ip"' + value + b',"test_keys"')


def _claims(name: str, size: int) -> bytes:
    claimed = [{name: f"2a02:{n % 65536:x}::{n % 65536:x}"} for n in range(size // 40)]
    return encoded(document({"a": claimed}))


SHAPES: dict[str, Callable[[int], bytes]] = {
    "blanks before the colon": lambda n: _poison(b" " * n + b":null"),
    "blanks before the value": lambda n: _poison(b":" + b" " * n + b"null"),
    "blanks in a list": lambda n: _poison(b":[" + b" " * n + b"null]"),
    "many addresses of the probe": lambda n: _claims("client_ip", n),
    "many addresses told by servers": lambda n: _claims("x-client-ip", n),
    "many keys that name addresses": lambda n: told("x", a=["x-client-ip"] * (n // 15)),
    "an endless address": lambda n: told("0:" * (n // 2)),
    "an address of ellipses": lambda n: told("0::" * (n // 3)),
    "colons": lambda n: told(":" * n),
    "dashes": lambda n: told("-" * n),
    "numbers": lambda n: told("1." * (n // 2)),
    "digits": lambda n: told("1" * n),
    "hexadecimal digits": lambda n: told("a" * n),
    "percent": lambda n: told("%31" * (n // 3)),
    "percent of percent": lambda n: told("%" + "25" * (n // 2)),
    "entities": lambda n: told("&#49;" * (n // 5)),
    "backslashes": lambda n: told("\\" * (n // 2)),
    "base64 of numbers": lambda n: told(base64.b64encode(b"1.2.3.4:5-" * (n // 13)).decode()),
    "a number of the probe": lambda n: told("198 " * (n // 4)),
    "numbers of the probe": lambda n: told("198 51 100 " * (n // 11)),
    "bytes of the probe": lambda n: told("c6 33 64 " * (n // 9)),
    "numbers apart": lambda n: told(("198" + " " * 300) * (n // 300)),
    "digits of another script": lambda n: told("۱۹۸.۵۱." * (n // 36)),
    "digits of another script, apart": lambda n: told(("۱" + "a" * 140) * (n // 146)),
    "short texts in base64": lambda n: told((base64.b64encode(b"1.2.3.4.5.6.7").decode() + "=") * (n // 21)),
    "nesting": lambda n: b'{"probe_ip":"198.51.100.7","a":' + b"[" * n,
}


@each("shape", SHAPES)
def test_scrubbing_is_linear_in_the_bytes(shape: str) -> None:
    assert grows_linearly(scrub, SHAPES[shape], 6_000), shape


def test_a_thousand_addresses_cost_about_as_much_as_one() -> None:
    page = "<p>an ordinary page of 2023-10-10 10:00:00 with 0.5 numbers and words</p>" * 3000

    def record(count: int) -> bytes:
        return encoded(document({"a": [{"client_ip": f"2a02:{n:x}::1"} for n in range(count)]}, input=page))

    one, thousand = _seconds(scrub, record(10)), _seconds(scrub, record(1010))
    assert thousand < 20 * max(one, TINY)


def test_digits_of_other_scripts_are_sought_at_the_bytes_with_which_they_begin() -> None:
    """A probe looks for its own address in all that it writes, while other measurements wait.  Trying every digit of
    every script at each byte took seventy times as long as a search for one kind of byte; now it takes twice that."""
    page = b"<p>an ordinary page &amp; its 50% of 2023-10-10 10:00:00, numbers and words</p>" * 10_000
    assert _seconds(foreign, page) < 20 * _seconds(re.compile(rb"[\x80-\xff]").search, page)


def test_an_unfinished_text_is_repaired_in_one_pass() -> None:
    assert grows_linearly(repair, lambda n: b'{"a":"' + b'\\"' * n, 20_000)
    assert repair(b'{"a":"NaN') == b'{"a":"NaN'
    assert repair(b'{"a":"\\') == b'{"a":"\\'


@each(
    "work",
    [
        lambda text: without_names(text),
        lambda text: without_seconds(text),
        lambda text: quiet_url("https://example.org/" + text),
        lambda text: title_of(text.encode()),
    ],
)
@each("atom", [" ", "a", "1", "a1-", "<title", "a@", "a@b.", ";a=", "&a=", "10:00:00.", "+1 "])
def test_what_leaves_is_read_in_one_pass(work: Callable[[str], object], atom: str) -> None:
    assert grows_linearly(work, lambda n: atom * n, 8_000)


def web(**keys: Any) -> bytes:
    return encoded(document(web_keys(**keys)))


def _many(one: dict[str, Any], count: int) -> list[dict[str, Any]]:
    return [one] * count


def bridges(count: int, **steps: Any) -> bytes:
    """Each becomes one observation, however many steps were taken."""
    targets = {str(n): {"target_protocol": "obfs4"} | steps for n in range(count)}
    return encoded(document({"targets": targets}, test_name="tor"))


COSTLY = {
    "lookups": lambda: web(queries=_many(query(), MOST_STEPS + 1)),
    "lookups of any kind": lambda: web(queries=[{"hostname": "a", "answers": []}] * 300_000),
    "handshakes": lambda: web(tls_handshakes=_many(handshake(failure="connection_reset"), MOST_STEPS + 1)),
    "requests": lambda: web(requests=_many(transaction(), MOST_STEPS + 1)),
    "endpoints of the helper": lambda: web(
        control=control()
        | {"tcp_connect": {f"192.0.2.1:{n}": {"status": True} for n in range(MOST_STEPS + 1)}}
    ),
    "answers": lambda: web(queries=[query("a.example", *["192.0.2.1"] * (MOST_ANSWERS + 1))]),
    "events of one transaction": lambda: web(
        tls_handshakes=_many(handshake(transaction_id=1), 1500),
        network_events=[{"operation": "read", "t": 0.3, "num_bytes": 1, "transaction_id": 1}] * 1500,
    ),
    "values of another type": lambda: web(queries=[{"hostname": n} for n in range(MOST_REPAIRS)]),
    "bridges": lambda: encoded(
        document(
            {"targets": {str(n): {"target_protocol": "obfs4"} for n in range(MOST_STEPS + 1)}},
            test_name="tor",
        )
    ),
    "lookups behind bridges": lambda: bridges(40, queries=_many(query(), 100)),
    "handshakes behind bridges": lambda: bridges(40, tls_handshakes=_many(handshake(), 100)),
    "steps of a messenger": lambda: encoded(
        document({"queries": _many(query(), MOST_STEPS + 1)}, test_name="telegram")
    ),
}


NEARLY = {
    "lists in lists": b"[[[[[[[[[[]]]]]]]]]],",
    "objects in objects": b'{"a":{"a":{"a":{"a":1}}}},',
    "numbers that are none": b'Infinity {"a"',
    "texts that are not JSON": b'""',
}
"""Repeated to 20 MiB, each took gigabytes of memory once it was decoded, or repaired so that it could be."""


@each("shape", NEARLY)
def test_a_record_that_grows_in_memory_is_rejected_before_it_is_decoded(shape: str, tmp_path: Path) -> None:
    path, unit = tmp_path / "large.jsonl", NEARLY[shape]
    path.write_bytes(b'{"test_keys":[' + unit * ((20 << 20) // len(unit)) + b"1]}\n")
    rejects: list[str] = []
    tracemalloc.start()
    try:
        assert not list(MEASUREMENT_SOURCES["ooni"].read(path, lambda _line, why: rejects.append(why)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rejects[0].startswith("too costly"), rejects
    assert peak < 150 << 20


WHY = {"answers": "addresses in its lookups", "events of one transaction": "network events"}
WHY |= {"values of another type": "wrong type"}


@each("shape", COSTLY)
def test_a_record_that_asks_for_too_much_is_rejected_by_name(shape: str) -> None:
    with pytest.raises(Rejected, match=f"^too costly: .*{WHY.get(shape, 'steps')}"):
        MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", COSTLY[shape]()))


def test_what_the_largest_real_records_hold_is_read() -> None:
    many = 140
    queries = [query(f"h{n}.example", f"192.0.2.{n}") for n in range(many)]
    parsed, verdicts = judge_record(Record("ooni", web(queries=queries)))
    assert len(parsed.observations) > many and verdicts


def test_too_many_texts_that_look_like_addresses_are_too_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanous.sources.ooni.spellings.MOST_LOOKUPS", 10_000)
    with pytest.raises(TooCostly, match="look like addresses"):
        scrub(told("0::" * 20_000))


def test_the_search_for_addresses_ends_when_its_time_is_up() -> None:
    with pytest.raises(TooCostly, match="too long"):
        scrub(told("0::" * 200_000), seconds=0.05)


def test_a_poisoned_record_costs_its_own_place_in_the_file_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fanous.sources.ooni.spellings.MOST_LOOKUPS", 10_000)
    sound = [encoded(document(measurement_uid=f"sound-{n}")) for n in range(3)]
    lines = [sound[0], told("0::" * 20_000), sound[1], COSTLY["lookups"](), sound[2], SHAPES["nesting"](1000)]
    file = tmp_path / "poisoned.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    judged, rejects = judge_files([file])
    assert [one["measurement_uid"] for one in judged] == ["sound-0", "sound-1", "sound-2"]
    assert [reject.split(": ")[1] for reject in rejects[:2]] == ["too costly", "too costly"]
    assert len(rejects) == 3


def test_ingest_counts_a_costly_record_as_rejected(tmp_path: Path) -> None:
    from fanous.pipeline.ingest import judged_records

    file = tmp_path / "poisoned.jsonl"
    file.write_bytes(COSTLY["requests"]() + b"\n" + encoded(document()) + b"\n")
    tally = Ingested()
    assert len(list(judged_records("ooni", [file], tally))) == 1
    assert (tally.rejected, tally.rejects[0].why[:10]) == (1, "too costly")


def test_a_table_s_measurement_has_the_same_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanous.sources.ooni_csv.MOST_ROWS_BYTES", 2_000)
    names = ("measurement_uid", "probe_cc", "probe_asn", "measurement_start_time", "test_name", "input")
    columns = (*names, "dns_failure", "dns_answer", "tcp_failure", "tls_failure", "http_failure")
    rows = [
        f"one,PK,17557,2023-12-17 14:30:00,web_connectivity,https://x.org/,,192.0.2.{n},,," for n in range(30)
    ]
    file = tmp_path / "table.csv"
    file.write_text("\n".join((",".join(columns), *rows)) + "\n")
    rejects: list[str] = []
    (record,) = MEASUREMENT_SOURCES["ooni-csv"].read(file, lambda _line, why: rejects.append(why))
    assert len(record.data) < 3_000 and rejects and "64 MiB" in rejects[0]
    assert record.items + len(rejects) == 30


def test_judging_as_many_steps_as_are_allowed_ends_soon() -> None:
    """Rules compare steps in pairs: what the limit allows must be far from hanging."""
    steps = [handshake(f"h{n}.example", failure="connection_reset") for n in range(MOST_STEPS - 100)]
    parsed = MEASUREMENT_SOURCES["ooni"].parse(Record("ooni", web(tls_handshakes=steps)))
    known = known_fingerprints()
    assert _seconds(lambda one: judge(one, known), parsed) < 30


def test_every_limit_is_a_number_with_its_reason() -> None:
    source = Path(ooni_document.__file__).read_text()
    limits = re.findall(r"^(MOST_\w+|DOOR_SECONDS) = .*\n\"\"\"", source, re.MULTILINE)
    assert len(limits) == sum(name.startswith(("MOST_", "DOOR_")) for name in vars(ooni_document))
    assert json.dumps(limits)


def test_a_costly_row_costs_its_own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fanous.sources.ooni.spellings.MOST_LOOKUPS", 10_000)
    head = "measurement_uid,probe_cc,probe_asn,measurement_start_time,test_name,input,probe_ip"
    row = "{},PK,17557,2023-12-17 14:30:00,web_connectivity,{},198.51.100.7"
    file = tmp_path / "table.csv"
    file.write_text(
        "\n".join((head, row.format("a", "0::" * 20_000), row.format("b", "https://x.org/"))) + "\n"
    )
    rejects: list[tuple[int, str]] = []
    records = list(MEASUREMENT_SOURCES["ooni-csv"].read(file, lambda at, why: rejects.append((at, why))))
    assert len(records) == 1 and b"x.org" in records[0].data
    assert rejects[0][0] == 2 and rejects[0][1].startswith("too costly")


def test_our_probe_keeps_its_measurement_where_a_page_was_made_to_be_costly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fanous.sources.ooni.spellings.MOST_LOOKUPS", 10_000)
    pages = [transaction(response={"code": 200, "body": "0::" * 20_000})]
    kept = json.loads(line(document(web_keys(requests=pages)), {PROBE}))
    assert kept["test_keys"]["requests"] == [] and kept["test_keys"]["queries"]


def test_no_cache_keeps_long_texts_of_strangers() -> None:
    """Caches count their entries, so each has to be short: a hundred records could otherwise fill the memory."""

    def take_one(number: int) -> None:
        long = f"{number}" + 300_000 * "a"
        page = {"body": "", "code": 200, "headers_list": [[long, long]]}
        steps = {
            "queries": [query(hostname=long, engine=long, query_type=long)],
            "tcp_connect": [{"ip": long, "port": 443, "status": {}}],
            "tls_handshakes": [handshake(address=long, server_name=long, failure=long)],
            "requests": [transaction(f"https://{long}/", response=page, failure=long)],
        }
        header = {"software_name": long, "software_version": long, "measurement_start_time": long}
        take(Record("ooni", encoded(document(web_keys(**steps), **header, test_start_time="2023-12-17"))))

    take_one(0)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(1, 9):
            take_one(number)
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 600_000
