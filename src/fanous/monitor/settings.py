"""Settings: what ``fanous run`` does, read from one TOML file; every key has a default.

A complaint names file, table and key, and the nearest key that there is.

Site: the table ``[web]`` - how the pages are seen from outside, and who may change what they show.
"""

import os
import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import structs

from fanous.collector.checkin import read_urls
from fanous.collector.inbox import inbox_of
from fanous.collector.origin import NOTHING, trusted_proxies
from fanous.collector.stream.address import StreamAddress, parse_address
from fanous.config import Table, convert, read_config, web_address
from fanous.errors import FanousError
from fanous.model.event import AnnouncedEvent
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.monitor.clock import Clock
from fanous.monitor.sources import Errand, errands
from fanous.pipeline.retain import Retention, retention
from fanous.probe.allowance import VOLUNTEER_LEAST, cadence, check_interval, least_interval, pause
from fanous.probe.consent import check_country
from fanous.probe.run import DEFAULT_LIST, ProbeOptions, is_near, wanted_of
from fanous.probe.settings import MOBILE_CAP_MB, Settings
from fanous.probe.trace import ProbeVantage
from fanous.publish.alerts.settings import Alerting, read_alerting
from fanous.refdata.countries import is_country, shapes
from fanous.sources.ooni.header import LATEST
from fanous.sources.publishers import source_settings
from fanous.store.location import StoreLocation
from fanous.store.notices import review_national

LEAST_TOKEN = 24
"""Characters of an administrator's token: what is shorter can be tried out."""


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Attributes:
    url: public address without a slash at its end; empty = as each request names it.
    map: file of the shapes of countries; ``None`` = the one that ships.
    key: that signs evidence bundles; ``None`` = the user's own.
    token: of an administrator; empty = there is no door for one.
    """

    url: str = ""
    map: Path | None = None
    key: Path | None = None
    token: str = field(default="", repr=False)


def site_settings(table: Table, beside: Path) -> SiteSettings:
    """Read and checked.

    Args:
        beside: folder that relative names stand in.

    Raises:
        FanousError: an address that is none, a map that cannot be read, a token that is missing or short.
    """
    table.allow("url", "map", "key", "admin_token")

    def file(key: str) -> Path | None:
        return (beside / Path(table.text(key)).expanduser()).absolute() if table.has(key) else None

    return SiteSettings(_url(table), _map(table, file("map")), file("key"), _token(table))


def _url(table: Table) -> str:
    url = web_address(table, "url").rstrip("/")
    parts = urlsplit(url)
    if parts.path or parts.query:
        raise table.wrong("url", f"{url!r} is more than a site, such as 'https://fanous.example'")
    return url


def _map(table: Table, file: Path | None) -> Path | None:
    if file is not None:
        with table.about("map"):
            drawn = shapes(file)
        if not drawn:
            raise table.wrong("map", f"{file} has no country: a line is a code, a tab and a path of an SVG")
    return file


def _token(table: Table) -> str:
    """It stands in the environment, so that a configuration may be shown to anybody."""
    if not table.has("admin_token"):
        return ""
    name = table.text("admin_token")
    token = os.environ.get(name, "")
    if len(token) < LEAST_TOKEN:
        lacking = "is not set" if not token else f"has fewer than {LEAST_TOKEN} characters"
        raise table.wrong(
            "admin_token", f"the environment variable {name!r} {lacking}; `openssl rand -hex 32` makes one"
        )
    return token


PAGE = "127.0.0.1:8470"
DOOR = "127.0.0.1:8471"

OWN = "own"
"""Folder, within the inbox, of what this machine's own probe measured."""

FASTEST = 10_000.0
"""A tick of ten minutes is then 60 ms: less than a measurement takes."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 = any that is free."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Rounds:
    """This machine's own measurements.

    Attributes:
        on: ``False`` = this monitor measures nothing itself.
        every: seconds between rounds, by the monitor's clock.
        apps: names of the nettests of apps that are tried beside the sites.
        least: what jitter never goes below.
        consented: the operator says so in the file; else the remembered consent counts.
        health: look at the line before each round.
    """

    on: bool = True
    urls: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    every: float = VOLUNTEER_LEAST
    least: float = VOLUNTEER_LEAST
    vantage: ProbeVantage = field(default_factory=ProbeVantage)
    consented: bool = False
    health: bool = True

    def wait(self, dice: random.Random, events: Iterable[AnnouncedEvent] = (), now: float = 0.0) -> float:
        """Seconds, by the monitor's clock, until the next round.

        Args:
            events: announced ones: around those of its country an organisation's own vantage point speeds
                up, and a volunteer's line never does.
        """
        organisation, country = self.least < VOLUNTEER_LEAST, self.vantage.country
        place = "" if country == UNKNOWN_COUNTRY else country
        every = cadence(self.every, now, events, organisation=organisation, country=place)
        return pause(every, self.least, dice)


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """The embedded collector; the attributes are the options of ``fanous collect``."""

    on: bool = True
    listen: Address = field(default_factory=lambda: Address("127.0.0.1", 8471))
    trust_proxy: tuple[str, ...] = ()
    networks: Path | None = None
    urls: Path | None = None
    orders: Path | None = None
    helper_url: str = ""
    per_address: float = 10.0
    contact: str = ""
    lab: bool = False


@dataclass(frozen=True, slots=True)
class Configuration:
    """Attributes:
    inbox: folder of what waits for the store.
    queue: a stream that other collectors fill, and that waits for it too; ``None`` = there is none.
    page: ``None`` = no pages.
    status: where the monitor says how it is; ``None`` = nowhere.
    every: seconds between two looks at the inbox, by the machine's clock.
    settings: of the probe.
    sources: public ones that are switched on.
    holds_national: do national claims wait for a person?  ``None`` = as the store remembers.
    """

    store: Path | StoreLocation
    inbox: Path
    queue: StreamAddress | None = None
    page: Address | None = field(default_factory=lambda: Address("127.0.0.1", 8470))
    status: Address | None = None
    every: float = 5.0
    clock: Clock = field(default_factory=Clock)
    rounds: Rounds = field(default_factory=Rounds)
    settings: Settings = field(default_factory=Settings)
    door: DoorSettings = field(default_factory=DoorSettings)
    site: SiteSettings = field(default_factory=SiteSettings)
    alerting: Alerting = field(default_factory=Alerting)
    sources: tuple[Errand, ...] = ()
    retention: Retention = field(default_factory=Retention)
    holds_national: bool | None = None


def read(file: Path | None, store: Path | StoreLocation) -> Configuration:
    """The configuration in ``file``; ``None`` = the defaults.

    Raises:
        FanousError: the file says something unknown, unsafe, or that does not go together.
    """
    document = read_config(file) if file else {}
    where = file or Path("defaults")

    def table(name: str) -> Table:
        return Table(str(where), name, document.get(name, {}))

    run = table("run")
    run.allow("listen", "status", "every", "inbox", "queue")
    page, status = run.text("listen", default=PAGE), run.text("status", default="none")
    settings = _settings(table("probe"), where)
    rounds = _rounds(table("rounds"))
    if rounds.vantage.network_type == "mobile":
        settings = structs.replace(settings, cap_mb=min(settings.cap_mb, MOBILE_CAP_MB))
    found = Configuration(
        store=store,
        inbox=_inbox(run, store, where),
        queue=_queue(run) if run.has("queue") else None,
        page=None if page == "none" else _address(run, "listen", page),
        status=None if status == "none" else _address(run, "status", status),
        every=run.number("every", default=5.0, least=0.05, most=3600),
        clock=_clock(table("clock")),
        rounds=rounds,
        settings=settings,
        door=_door(table("collector"), where),
        site=site_settings(table("web"), where.parent),
        alerting=read_alerting(file),
        sources=errands(source_settings(file)),
        retention=retention(file),
        holds_national=review_national(file),
    )
    _check_lab(found, where)
    return found


def _inbox(run: Table, store: Path | StoreLocation, where: Path) -> Path:
    if run.has("inbox"):
        return _beside(where, run.text("inbox"))
    if isinstance(store, StoreLocation):
        raise run.wrong("inbox", "it is missing: a store that is given by addresses has no folder beside it")
    return inbox_of(store)


def inboxes_of(file: Path | None, store: Path | StoreLocation) -> tuple[Path, ...]:
    """Folders of what waits for the store; none where its addresses stand alone."""
    document = read_config(file) if file else {}
    run = Table(str(file or "defaults"), "run", document.get("run", {}))
    if isinstance(store, StoreLocation) and not run.has("inbox"):
        return ()
    inbox = _inbox(run, store, file or Path("defaults"))
    return inbox, inbox / OWN


def _queue(run: Table) -> StreamAddress:
    text = run.text("queue")
    with run.about("queue"):
        return parse_address(text)


def _address(table: Table, key: str, text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise table.wrong(key, f"{text!r} is not HOST:PORT, such as {PAGE}")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _clock(table: Table) -> Clock:
    table.allow("rate", "since")
    rate = table.number("rate", default=1.0, least=1, most=FASTEST)
    since = table.instant("since") if table.has("since") or rate != 1.0 else 0.0
    if rate == 1.0:
        return Clock()
    clock = Clock(rate, since)
    if clock() >= LATEST:
        raise table.wrong("since", "that clock has run past the year 2100: name a later moment")
    return clock


def _settings(table: Table, where: Path) -> Settings:
    settings = convert(table.values, Settings, where, "probe")
    if settings.ca_file:
        settings = structs.replace(settings, ca_file=str(_beside(where, settings.ca_file)))
    return settings


def _rounds(table: Table) -> Rounds:
    table.allow(
        *("on", "urls", "lists", "every", "organisation", "country", "asn", "mobile", "consent", "health")
    )
    organisation = table.flag("organisation", default=False)
    every = table.number("every", default=VOLUNTEER_LEAST)
    try:
        check_interval(every, organisation=organisation)
    except FanousError as error:
        raise table.wrong("every", str(error).replace("--organisation", "organisation = true")) from None
    measured = _measured(table)
    return Rounds(
        on=table.flag("on", default=True),
        urls=measured.urls,
        apps=measured.apps,
        every=every,
        least=least_interval(organisation=organisation),
        vantage=_vantage(table),
        consented=table.flag("consent", default=False),
        health=table.flag("health", default=True),
    )


def _measured(table: Table) -> ProbeOptions:
    urls = table.texts("urls") if table.has("urls") else ()
    lists = table.texts("lists") if table.has("lists") else () if urls else (DEFAULT_LIST,)
    if urls:
        with table.about("urls"):
            wanted_of(urls, (), _say)  # alone, so that a complaint names the key that it is about
    with table.about("lists" if lists else "urls"):
        return wanted_of(urls, lists, _say)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _vantage(table: Table) -> ProbeVantage:
    asn = table.integer("asn", default=0)
    if not 0 <= asn < 2**32:
        raise table.wrong("asn", f"{asn} is no number of a network")
    country = table.country() if table.has("country") else UNKNOWN_COUNTRY
    if country != UNKNOWN_COUNTRY and not is_country(country):
        raise table.wrong("country", f"{country!r} is no ISO 3166-1 code such as 'PK'")
    with table.about("country"):
        check_country(country)
    return ProbeVantage(country, asn, "mobile" if table.flag("mobile", default=False) else "")


def _door(table: Table, where: Path) -> DoorSettings:
    table.allow(
        *("on", "listen", "trust_proxy", "networks", "urls", "orders"),
        *("helper_url", "per_address", "contact", "lab"),
    )

    def file(key: str) -> Path | None:
        return _beside(where, table.text(key)) if table.has(key) else None

    trusted = table.texts("trust_proxy") if table.has("trust_proxy") else ()
    networks, urls, orders = file("networks"), file("urls"), file("orders")
    with table.about("trust_proxy"):
        trusted_proxies(trusted)
    if networks is not None and networks.name != NOTHING and not networks.is_file():
        raise table.wrong("networks", f"there is no file {networks}")
    if orders is not None and not orders.is_file():
        raise table.wrong("orders", f"there is no file {orders}")
    if urls is not None:
        with table.about("urls"):
            read_urls(urls)
    return DoorSettings(
        on=table.flag("on", default=True),
        listen=_address(table, "listen", table.text("listen", default=DOOR)),
        trust_proxy=trusted,
        networks=networks,
        urls=urls,
        orders=orders,
        helper_url=web_address(table, "helper_url").rstrip("/"),
        per_address=table.number("per_address", default=10.0, least=0.01),
        contact=table.text("contact") if table.has("contact") else "",
        lab=table.flag("lab", default=False),
    )


def _beside(where: Path, name: str) -> Path:
    """A relative name stands beside the file that says it, wherever one calls from."""
    return (where.parent / Path(name).expanduser()).absolute()


def _check_lab(found: Configuration, where: Path) -> None:
    """A fast clock makes rounds follow each other within moments: that is for servers of one's own alone.

    Raises:
        FanousError: it would be let loose on others'.
    """
    if found.clock.rate == 1.0 or not found.rounds.on:
        return
    far = [*_not_near(found.rounds.urls), *found.rounds.apps]
    if far or found.rounds.health or not found.settings.allow_private:
        raise FanousError(
            f"{where}: [clock] rate: a clock that runs faster is for a lab; then [rounds] urls must be "
            f"addresses of your own network{f' (not {far[0]})' if far else ''}, [rounds] health = false, "
            "and [probe] allow_private = true"
        )


def _not_near(urls: Sequence[str]) -> list[str]:
    return [url for url in urls if not is_near(url)]
