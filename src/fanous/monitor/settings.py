"""Settings: what ``fanous run`` does, read from one TOML file; every key has a default.

Each package declares its own tables; this module has the monitor's, and combines them all.
"""

import random
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from msgspec import Meta, structs

from fanous.collector.inbox import OWN, inbox_of
from fanous.collector.services import read_urls
from fanous.collector.settings import DoorSettings
from fanous.collector.stream.address import StreamAddress, parse_address
from fanous.config import (
    Address,
    CountryCode,
    Instant,
    OptionalAddress,
    Seconds,
    Section,
    Some,
    Text,
    WrongKey,
    about,
    section,
    wrong,
)
from fanous.errors import FanousError
from fanous.model.event import AnnouncedEvent
from fanous.model.place import UNKNOWN_COUNTRY
from fanous.monitor.clock import Clock
from fanous.monitor.sources import Errand, errands
from fanous.pipeline.retain import Retention, retention
from fanous.probe.allowance import VOLUNTEER_LEAST, cadence, check_interval, least_interval, pause
from fanous.probe.consent import check_country
from fanous.probe.run import ProbeOptions, is_near, wanted_of
from fanous.probe.settings import MOBILE_CAP_MB, Settings
from fanous.probe.trace import ProbeVantage
from fanous.publish.alerts.settings import Alerting, read_alerting
from fanous.refdata.countries import check_countries
from fanous.sources.ooni.values import LATEST
from fanous.sources.publishers import source_settings
from fanous.store.location import Review, StoreLocation, review
from fanous.web.settings import SiteSettings

PAGE = "127.0.0.1:8470"

FASTEST = 10_000.0
"""Fastest rate: ten minutes take 60 ms, less than a measurement."""


class RunTable(Section, frozen=True):
    """The table ``[run]``; see ``Configuration``."""

    listen: OptionalAddress = OptionalAddress(PAGE)
    status: OptionalAddress = OptionalAddress()
    every: Annotated[float, Meta(ge=0.05, le=3600)] = 5.0
    inbox: Path | None = None
    queue: Text = ""

    def __post_init__(self) -> None:
        self.stream()

    def stream(self) -> StreamAddress | None:
        with about("queue"):
            return parse_address(self.queue) if self.queue else None


class ClockTable(Section, frozen=True):
    """The table ``[clock]``, for a lab in which time runs faster; see ``Clock``."""

    rate: Annotated[float, Meta(ge=1, le=FASTEST)] = 1.0
    since: Instant | None = None

    def __post_init__(self) -> None:
        if self.rate != 1.0 and self.since is None:
            raise WrongKey("since", "it is missing")
        if self.clock()() >= LATEST:
            raise WrongKey("since", "that clock has passed the year 2100: give a later moment")

    def clock(self) -> Clock:
        return Clock() if self.rate == 1.0 or self.since is None else Clock(self.rate, self.since)


@dataclass(frozen=True, slots=True)
class Rounds:
    """This machine's own measurements.

    Attributes:
        on: ``False`` = this monitor measures nothing itself.
        every: seconds between rounds, by the monitor's clock.
        apps: names of the nettests of apps to try along with the sites.
        least: the least interval, even with jitter.
        consented: the operator consents in the file; otherwise the remembered consent counts.
        health: check the line before each round.
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
            events: announced ones: around those in its country an organisation's own vantage point speeds up; a
                volunteer's never does.
        """
        organisation, country = self.least < VOLUNTEER_LEAST, self.vantage.country
        place = "" if country == UNKNOWN_COUNTRY else country
        every = cadence(self.every, now, events, organisation=organisation, country=place)
        return pause(every, self.least, dice)


class RoundsTable(Section, frozen=True):
    """The table ``[rounds]``; see ``Rounds``.

    Attributes:
        lists: names or files of test lists.
        organisation: an organisation's own vantage point, which may measure more often than a volunteer's.
    """

    on: bool = True
    urls: Some[Text] = ()
    lists: Some[Text] = ()
    every: Seconds = VOLUNTEER_LEAST
    organisation: bool = False
    country: CountryCode = UNKNOWN_COUNTRY
    asn: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    mobile: bool = False
    consent: bool = False
    health: bool = True

    def __post_init__(self) -> None:
        try:
            check_interval(self.every, organisation=self.organisation)
        except FanousError as error:
            raise WrongKey("every", str(error).replace("--organisation", "organisation = true")) from None
        if self.country != UNKNOWN_COUNTRY:
            check_countries("country", [self.country])
        with about("country"):
            check_country(self.country)
        self._measured(lambda _: None)

    def _measured(self, say: Callable[[str], None]) -> ProbeOptions:
        with about("urls"):
            wanted_of(self.urls, (), say)  # separately, so that an error names the right key
        with about("lists" if self.lists else "urls"):
            return wanted_of(self.urls, self.lists, say)

    def rounds(self) -> Rounds:
        """Entries of a list that are left out are reported on standard error."""
        measured = self._measured(lambda line: print(line, file=sys.stderr))
        return Rounds(
            on=self.on,
            urls=measured.urls,
            apps=measured.apps,
            every=self.every,
            least=least_interval(organisation=self.organisation),
            vantage=ProbeVantage(self.country, self.asn, "mobile" if self.mobile else ""),
            consented=self.consent,
            health=self.health,
        )


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one monitor does.

    Attributes:
        inbox: folder of measurements that wait for the store.
        queue: a stream filled by other collectors, to be stored too; ``None`` = none.
        page: ``None`` = no pages.
        status: where the monitor serves its own state; ``None`` = nowhere.
        every: seconds between two checks of the inbox, by the machine's clock.
        settings: the probe's.
        sources: the public sources that are enabled.
        review: which incidents wait for a person, and whether readers see them.
    """

    store: Path | StoreLocation
    inbox: Path
    queue: StreamAddress | None
    page: Address | None
    status: Address | None
    every: float
    clock: Clock
    rounds: Rounds
    settings: Settings
    door: DoorSettings
    site: SiteSettings
    alerting: Alerting
    sources: tuple[Errand, ...]
    retention: Retention
    review: Review

    @property
    def countries(self) -> frozenset[str]:
        """The countries that it pulls or measures."""
        return frozenset((*(errand.country for errand in self.sources), self.rounds.vantage.country)) - {
            UNKNOWN_COUNTRY
        }

    def listed(self) -> tuple[str, ...]:
        """URLs that the operator has measured: by this machine, and by the probes that check in."""
        listed = read_urls(self.door.urls) if self.door.urls is not None else ()
        return (*self.rounds.urls, *(entry.url for entry in listed))


TABLES: Mapping[str, type[Section]] = {
    "run": RunTable,
    "clock": ClockTable,
    "rounds": RoundsTable,
    "probe": Settings,
    "collector": DoorSettings,
    "web": SiteSettings,
}
"""Tables read here: a key in the wrong one of them is reported with the right one."""


def read(file: Path | None, store: Path | StoreLocation) -> Configuration:
    """The configuration in ``file``; ``None`` = the defaults.

    Raises:
        FanousError: something in the file is unknown, unsafe or contradictory.
    """
    run = section(file, "run", RunTable, TABLES)
    rounds = section(file, "rounds", RoundsTable, TABLES).rounds()
    configuration = Configuration(
        store=store,
        inbox=_inbox(run, store, file),
        queue=run.stream(),
        page=run.listen or None,
        status=run.status or None,
        every=run.every,
        clock=section(file, "clock", ClockTable, TABLES).clock(),
        rounds=rounds,
        settings=_settings(file, mobile=rounds.vantage.network_type == "mobile"),
        door=section(file, "collector", DoorSettings, TABLES),
        site=section(file, "web", SiteSettings, TABLES),
        alerting=read_alerting(file),
        sources=errands(source_settings(file)),
        retention=retention(file),
        review=review(file),
    )
    _check_lab(configuration, file)
    return configuration


def _inbox(run: RunTable, store: Path | StoreLocation, file: Path | None) -> Path:
    if run.inbox is not None:
        return run.inbox
    if isinstance(store, StoreLocation):
        why = "it is missing: a store given by addresses has no folder next to which an inbox could be"
        raise wrong(file or "defaults", "run", "inbox", why)
    return inbox_of(store)


def inboxes_of(file: Path | None, store: Path | StoreLocation) -> tuple[Path, ...]:
    """Folders of measurements waiting to be stored; none for a store given by URLs."""
    run = section(file, "run", RunTable, TABLES)
    if isinstance(store, StoreLocation) and run.inbox is None:
        return ()
    inbox = _inbox(run, store, file)
    return inbox, inbox / OWN


def _settings(file: Path | None, *, mobile: bool) -> Settings:
    settings = section(file, "probe", Settings, TABLES)
    if settings.ca_file and file is not None:
        beside = (file.parent / Path(settings.ca_file).expanduser()).absolute()
        settings = structs.replace(settings, ca_file=str(beside))
    return structs.replace(settings, cap_mb=min(settings.cap_mb, MOBILE_CAP_MB)) if mobile else settings


def _check_lab(configuration: Configuration, file: Path | None) -> None:
    """A fast clock makes rounds follow each other within moments, so it is only allowed against your own
    servers.

    Raises:
        FanousError: it would be used on other people's servers.
    """
    if configuration.clock.rate == 1.0 or not configuration.rounds.on:
        return
    far = [*(url for url in configuration.rounds.urls if not is_near(url)), *configuration.rounds.apps]
    if far or configuration.rounds.health or not configuration.settings.allow_private:
        why = (
            "a faster clock is only for a lab: [rounds] urls must be in your own network"
            f"{f' (not {far[0]})' if far else ''}, [rounds] health = false, and [probe] allow_private = true"
        )
        raise wrong(file or "defaults", "clock", "rate", why)
