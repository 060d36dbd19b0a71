"""Upload: sends what waits in a spool to a collector, oldest first, until it is acknowledged.

Only a JSON answer that names the measurement is an acknowledgement, and only a JSON answer with a reason is a
refusal: captive portals and block pages answer, too.

One measurement must never hold up those behind it.  OONI's server answers ``200 {}`` to what it discards (network AS0,
country ZZ) and to what it saved while its fast path was down (ooni/backend at 32d8349d,
ooniapi/services/ooniprobe/src/ooniprobe/routers/reports.py, ``receive_measurement``, ``empty_measurement``): sending
that again would be useless or store it twice, so it is set aside with what was answered.  A measurement at which a
server fails goes to the end of the queue, and is set aside after ``STRIKES`` rounds in which the server took others.

All measurements of one run of a nettest belong to one report, which counts as one witness.  A probe that
opened a second report after a restart would count twice, so each run's report is remembered across restarts.

The wait before the next attempt grows exponentially, with jitter: after a shutdown all probes of a country
come back in the same minute, and must not retry in step.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import random
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
from msgspec import Struct

from fanous.base.exchange import post
from fanous.base.text import quoted
from fanous.config import without_login
from fanous.errors import FanousError
from fanous.probe.spool import Spool, Spooled

FILE = "reports.json"
STRIKES_FILE = "failed.json"
KEPT = 500
"""Most runs remembered: one every 15 minutes for five days."""


class Template(Struct, frozen=True):
    """The fields that open a report, shared by all its measurements (ooni/probe-cli,
    internal/probeservices/collector.go, ``NewReportTemplate``)."""

    test_name: str
    test_start_time: str
    test_version: str
    software_name: str
    software_version: str
    probe_cc: str = "ZZ"
    probe_asn: str = "AS0"
    data_format_version: str = "0.2.0"

    @property
    def key(self) -> str:
        return sha256(msgspec.json.encode(self)).hexdigest()[:16]


_REPORT_ID = re.compile(r"[0-9A-Za-z_-]{1,256}")
"""It becomes a part of URLs and of measurements, and the answer may not be a collector's."""

_template = msgspec.json.Decoder(Template)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ids = msgspec.json.Decoder(dict[str, str])


def template_of(document: bytes) -> Template:
    """Raises ``ValueError`` if it is not a measurement."""
    try:
        return _template.decode(document)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(f"not a measurement: {error}") from None


def request_to_open(template: Template) -> bytes:
    """Body of ``POST /report``."""
    return msgspec.json.encode(msgspec.to_builtins(template) | {"format": "json"})


def request_to_submit(document: bytes, report_id: str) -> bytes:
    """Body of ``POST /report/{id}``: the measurement unchanged, with this report's id."""
    content = _fields.decode(document) | {"report_id": msgspec.Raw(msgspec.json.encode(report_id))}
    return msgspec.json.encode({"format": "json", "content": content})


def _save(path: Path, content: object) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(msgspec.json.encode(content))
    temporary.rename(path)


class Reports:
    """Report ids by template, the latest ``KEPT``."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._ids = self._read()

    def of(self, template: Template) -> str | None:
        return self._ids.get(template.key)

    def ids(self) -> list[str]:
        """All kept reports, oldest first."""
        return list(self._ids.values())

    def remember(self, template: Template, report_id: str) -> None:
        self._ids[template.key] = report_id
        for key in list(self._ids)[: max(0, len(self._ids) - KEPT)]:
            del self._ids[key]
        _save(self._path, self._ids)

    def forget(self, template: Template) -> None:
        """Forget a report that the collector does not accept."""
        if self._ids.pop(template.key, None):
            _save(self._path, self._ids)

    def _read(self) -> dict[str, str]:
        try:
            kept = _ids.decode(self._path.read_bytes())
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return {}  # missing, or lost in a power cut: new ones are opened
        return {key: name for key, name in kept.items() if _REPORT_ID.fullmatch(name)}


FIRST_SECONDS = 2.0
MOST_SECONDS = 900.0
MOST_ASKED_SECONDS = 3600.0
"""A server may ask for longer, but we wait an hour at most, since a middlebox can ask for a year."""


def backoff(failures: int, chance: float, asked: float | None = None) -> float:
    """Seconds to wait.

    Args:
        failures: consecutive, at least 1.
        chance: uniform, 0..1.
        asked: ``Retry-After`` in seconds, the least wait; ``None`` = not given.
    """
    ceiling = min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 30))
    jittered = ceiling * (0.5 + chance / 2)
    return jittered if asked is None else max(jittered, min(asked, MOST_ASKED_SECONDS) * (1 + chance / 10))


def retry_after(value: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header (RFC 9110 section 10.2.3); ``None`` = not given, or a date, which a probe
    whose clock may be wrong cannot use."""
    text = (value or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


SECONDS = httpx.Timeout(120, connect=30)
"""Uploads over 2G are slow; a connection not made within half a minute will not be made."""

ANSWER_SECONDS = 120.0
"""Seconds for a whole exchange, in addition to what the body takes."""

MOST_ANSWER = 1 << 16
"""Bytes: acknowledgements and refusals have a few hundred."""

IDLE_SECONDS = 5.0
"""Seconds between checks of an empty spool."""

REFUSALS = frozenset({400, 413, 415, 422})
"""Status codes that sending again will not fix."""

FAILURES = frozenset({500, 502, 504})
"""Status codes of a server that may have failed at this very measurement; 503 and 429 are about the server."""

STRIKES = 5
"""Rounds in which a server failed at a measurement and took others, until it is set aside."""


class _Unreached(Exception):
    """This collector is unreachable or busy; another one may work, or a later attempt.

    Attributes:
        at_it: it answered, but failed at this measurement.
    """

    def __init__(self, why: str, asked: float | None = None, *, at_it: bool = False) -> None:
        super().__init__(why)
        self.asked = asked
        self.at_it = at_it


class _Refused(Exception):
    """The collector will never accept it, or sending it again would do harm."""


@dataclass(slots=True)
class Collector:
    """One URL of the collector, or of a mirror.

    Attributes:
        not_before: by ``time.monotonic``; until then it is not contacted.
        why: the last failure, in words; empty = none since it last worked.
    """

    url: str
    failures: int = 0
    not_before: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The result of a round: acknowledged, set aside for good, and left for later.

    Attributes:
        apart: acknowledged ones that the collector keeps apart from all others, by its code of the reason
            (``fanous.collector.submission.Apart``); they enter no conclusion.
        answers: what servers answered to those that were set aside, each answer once.
        why: what the collectors answered last, if some are left.
    """

    acknowledged: int
    refused: int
    waiting: int
    apart: dict[str, int] = field(default_factory=dict, compare=False)
    answers: tuple[str, ...] = field(default=(), compare=False)
    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class _Acknowledged:
    """A collector has it; ``apart`` = why it is kept apart, empty = it is not."""

    uid: str
    apart: str


class Strikes:
    """Measurements at which a server failed, across restarts."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / STRIKES_FILE
        self._of: dict[str, tuple[int, int]] = {}  # name -> failures, and how many while it took others
        with suppress(OSError, ValueError):  # missing, or lost in a power cut: start counting again
            self._of = _strikes.decode(self._path.read_bytes())

    def in_order(self, waiting: Sequence[Spooled]) -> list[Spooled]:
        """Oldest first, but after those at which a server failed less often."""
        return sorted(waiting, key=lambda spooled: (self._of.get(spooled.name, (0, 0))[0], spooled.name))

    def add(self, spooled: Spooled, *, took_others: bool) -> int:
        """In how many rounds the server has now failed at this one and taken others."""
        failures, strikes = self._of.get(spooled.name, (0, 0))
        self._of[spooled.name] = failures + 1, strikes + took_others
        _save(self._path, self._of)
        return strikes + took_others

    def keep(self, waiting: Sequence[Spooled]) -> None:
        """Forget what no longer waits."""
        names = {spooled.name for spooled in waiting}
        if not self._of.keys() <= names:
            self._of = {name: count for name, count in self._of.items() if name in names}
            _save(self._path, self._of)


_strikes = msgspec.json.Decoder(dict[str, tuple[int, int]])


OF_AN_ACKNOWLEDGEMENT = frozenset({"measurement_uid"})
"""Keys of OONI's answer to a measurement (``ReceiveMeasurementResponse``); an answer with others is not from it."""


class Uploader:
    """Sends a spool; only one sender at a time has it open.

    Args:
        collectors: URLs in order of preference: the collector, then its mirrors.
        proxy: ``http://host:port`` (or ``socks5://``, where socksio is installed); ``None`` = direct.
        transport: what carries the requests; ``None`` = httpx' own.
        on_sent: called with the ``measurement_uid`` of each acknowledged measurement.
        on_bytes: called with the number of body bytes about to be sent, or received.
    """

    def __init__(
        self,
        spool: Spool,
        collectors: Sequence[str],
        *,
        proxy: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        on_sent: Callable[[str], None] = lambda _uid: None,
        on_bytes: Callable[[int], None] = lambda _count: None,
    ) -> None:
        if not collectors:
            raise FanousError("no collector to send to: name one with --collector URL")
        self.collectors = [Collector(url.rstrip("/")) for url in collectors]
        self._spool = spool
        self._reports = Reports(spool.folder)
        self._strikes = Strikes(spool.folder)
        self._on_sent = on_sent
        self._on_bytes = on_bytes
        self._client = _client(proxy, transport)
        self._right = spool.sending()

    async def __aenter__(self) -> Self:
        self._right.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
        self._right.__exit__(kind, error, trace)

    async def send(self) -> Sent:
        """Send what waits, if a collector can be reached now."""
        acknowledged, answers, apart = 0, list[str](), Counter[str]()
        failed: tuple[Spooled, str] | None = None
        for spooled in self._strikes.in_order(self._spool.waiting()):
            try:
                taken = await self._send_one(spooled)
            except _Refused as why:
                self._spool.refuse(spooled, str(why))
                answers.append(str(why))
                continue
            except _Unreached as why:
                failed = (spooled, str(why)) if why.at_it else None
                break
            self._spool.acknowledged(spooled)
            self._on_sent(taken.uid)
            acknowledged += 1
            if taken.apart:
                apart[taken.apart] += 1
        if failed is not None and self._strikes.add(failed[0], took_others=acknowledged > 0) >= STRIKES:
            self._spool.refuse(*failed)
            answers.append(failed[1])
        waiting = self._spool.waiting()
        self._strikes.keep(waiting)
        last = next((collector.why for collector in self.collectors if collector.why), "") if waiting else ""
        return Sent(
            acknowledged, len(answers), len(waiting), dict(apart), tuple(dict.fromkeys(answers)), last
        )

    async def run(self) -> None:
        """Send what waits and what arrives, until cancelled."""
        while True:
            await self.send()
            wait = min(collector.not_before for collector in self.collectors) - time.monotonic()
            await asyncio.sleep(max(IDLE_SECONDS if not self._spool.waiting() else 0.05, wait))

    async def _send_one(self, spooled: Spooled) -> _Acknowledged:
        """Returns once a collector has it.

        Raises:
            _Refused: it is to be set aside.
            _Unreached: no collector takes it now.
        """
        try:
            document = spooled.document()
            template = template_of(document)
        except ValueError as error:
            raise _Refused(str(error)) from None
        last = _Unreached("no collector is due to be asked")
        for collector in self.collectors:
            if collector.not_before > time.monotonic():
                continue
            try:
                taken = await self._submit(collector, template, document)
            except _Unreached as error:
                last = error
                collector.failures += 1
                collector.why = str(error)
                wait = backoff(collector.failures, random(), error.asked)
                collector.not_before = time.monotonic() + wait
                continue
            except _Refused:
                collector.failures, collector.why = 0, ""
                raise
            collector.failures, collector.why = 0, ""
            return taken
        raise last

    async def _submit(self, collector: Collector, template: Template, document: bytes) -> _Acknowledged:
        report_id = self._reports.of(template)
        if report_id is None:
            opened = await self._post(f"{collector.url}/report", request_to_open(template))
            report_id = opened.get("report_id")
            if not isinstance(report_id, str) or not _REPORT_ID.fullmatch(report_id):
                raise _Unreached("the answer to opening a report did not come from a collector")
            self._reports.remember(template, report_id)
        try:
            answer = await self._post(
                f"{collector.url}/report/{report_id}", request_to_submit(document, report_id)
            )
        except _Refused:
            self._reports.forget(
                template
            )  # in case the report is at fault, the next one is sent under a new report
            raise
        uid = answer.get("measurement_uid")
        if not answer or (uid is None and answer.keys() <= OF_AN_ACKNOWLEDGEMENT):
            said = msgspec.json.encode(answer).decode()
            raise _Refused(
                f"{without_login(collector.url)} answered 200 {said}, without an identity: it discarded the measurement"
                f"{_unplaced(template)} or could not process it; sent again, it might be stored twice"
            )
        if not isinstance(uid, str) or not uid:
            raise _Unreached("the answer is not an acknowledgement from a collector", at_it=True)
        apart = answer.get("x_apart")
        return _Acknowledged(uid, apart if isinstance(apart, str) else "")

    async def _post(self, url: str, body: bytes) -> dict[str, Any]:
        self._on_bytes(len(body))
        try:
            response = await post(self._client, url, body, seconds=ANSWER_SECONDS, most=MOST_ANSWER)
        except httpx.HTTPError as error:
            raise _Unreached(f"{_host(url)}: {error or type(error).__name__}") from None
        self._on_bytes(len(response.content))
        answer, code = _object(response.content), response.status
        if code in REFUSALS and answer is not None and "detail" in answer:
            detail = answer["detail"]
            said = detail.get("message", detail) if isinstance(detail, dict) else detail
            raise _Refused(f"{_host(url)} answered {code}: {quoted(said)}")
        if code != 200 or answer is None:
            asked = retry_after(response.headers.get("retry-after"))
            raise _Unreached(f"{_host(url)} answered {code}", asked, at_it=code in FAILURES)
        return answer


def _unplaced(template: Template) -> str:
    """The usual cause of a discarded measurement, if it applies here."""
    lacks = [
        name for name, unknown in ((template.probe_asn, "AS0"), (template.probe_cc, "ZZ")) if name == unknown
    ]
    return f" (OONI's server discards {' and '.join(lacks)}: give --asn and --country)" if lacks else ""


def _host(url: str) -> str:
    return without_login(url.partition("/report")[0])


def _client(proxy: str | None, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            proxy=proxy,
            transport=transport,
            trust_env=False,
            timeout=SECONDS,
            headers={"user-agent": "fanous-probe"},
        )
    except ImportError:
        raise FanousError("a SOCKS proxy needs the package socksio: pip install socksio") from None
    except (ValueError, httpx.InvalidURL) as error:
        raise FanousError(
            f"not a proxy URL: {quoted(without_login(proxy or ''))} ({type(error).__name__}); use http://host:port"
        ) from None


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        answer = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
