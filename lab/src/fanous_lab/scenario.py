"""Scenario: a country of the lab, what happens in it, and what must be found.

A scenario is a TOML file that anyone may write (docs/formats.md has the format); those included in Fanous are
found by name, and each states its sources and how it compresses time.  ``tick`` is the pause between two
rounds of a vantage point; unless a scenario says otherwise it represents ten minutes of a monitor's time, so
a tick of two seconds compresses time three hundredfold.

The lab knows the cause; a probe sees only effects.  So each technique has the mechanisms that name it exactly, and
those that are coarser but still true; any other is a wrong label (``censors.cut.Truth``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from msgspec import Meta, field
from msgspec.structs import asdict

from fanous.config import (
    Asn,
    Count,
    CountryCode,
    Instant,
    Section,
    Share,
    Some,
    Text,
    WrongKey,
    none_of,
    parse,
    read,
)
from fanous.errors import FanousError
from fanous.model.incident import Kind, Scope
from fanous.model.place import Access, is_unroutable
from fanous.refdata.networks import home_of
from fanous.refdata.platforms import platforms, target_of
from fanous_lab.censors import TECHNIQUES

TICK_STANDS_FOR = 600.0
"""Seconds of a monitor's time that one tick of the lab stands for (the pipeline's bin)."""

TRANSFER_EVERY = 2
"""Ticks from one measurement of rates to the next, at each vantage point, the targets in turn: twenty minutes of the
monitor's clock; after six of them a probe has an ordinary rate."""


@dataclass(frozen=True, slots=True)
class LabNetwork:
    """One network of the lab's country.

    Attributes:
        country: where it is; abroad if it differs from the scenario's.
        users_share: share of the country's users, 0..1.
        lying: number of vantage points (the last ones) that report failures that did not happen.
        broken: number of vantage points (before the lying ones) whose own line loses most packets.
        portal: number of vantage points behind a login page.
    """

    country: str
    asn: int
    name: str
    access: Access
    users_share: float
    vantage_points: int
    lying: int = 0
    broken: int = 0
    portal: int = 0


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One technique, applied for a time.

    Attributes:
        at, until: seconds since the scenario began.
        targets: platforms or domains; empty = does not apply.
        networks: ASNs.
        compliance: share of the matching vantage points that are hit, 0..1.
        rate_kbps: rate of a throttle; 0 = does not apply.
        keep: targets that an allow-list lets through.
    """

    at: float
    until: float
    technique: str
    targets: tuple[str, ...]
    networks: tuple[int, ...]
    compliance: float = 1.0
    rate_kbps: float = 0.0
    keep: tuple[str, ...] = ()


class Expectation(Section, frozen=True):
    """A table ``[[expect]]``: one incident that must be found.

    Attributes:
        scope: ``None`` = any.
        targets: it must name these; empty = any.
        mechanisms: it must name one of these; empty = any.
        access: ``None`` = any.
        status: ``suspected`` = a suspicion is enough (a confirmation is not an error).
    """

    kind: Kind
    scope: Scope | None = None
    targets: tuple[Text, ...] = ()
    mechanisms: Some[Text] = ()
    access: Access | None = None
    status: Literal["confirmed", "suspected"] = "confirmed"

    def __post_init__(self) -> None:
        _check_targets("targets", self.targets)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A country, what happens in it, and what must be found; without an expectation, nothing may be found.

    Attributes:
        tick: seconds between the rounds of a vantage point.
        duration: seconds.
        targets: what is probed: those of the events, or ``targets`` of the file.
        begins: when it begins by the monitor's clock; ``None`` = such that it ends now.
        tick_stands_for: seconds of the monitor's clock in a tick.
        transfer_every: ticks from one measurement of rates to the next; 0 = none is made.
    """

    title: str
    country: str
    seed: int
    tick: float
    duration: float
    targets: tuple[str, ...]
    networks: tuple[LabNetwork, ...]
    events: tuple[ScenarioStep, ...]
    expects: tuple[Expectation, ...]
    begins: float | None = None
    tick_stands_for: float = TICK_STANDS_FOR
    transfer_every: int = TRANSFER_EVERY

    @property
    def stretch(self) -> float:
        """Seconds of the monitor's clock in one second of the lab."""
        return self.tick_stands_for / self.tick

    @property
    def vantage_points(self) -> int:
        return sum(line.vantage_points for line in self.networks)


DEFAULT_TARGETS = ("x", "youtube")
"""Probed if neither the file nor an event names a target."""

LONGEST = 3600.0
"""Most seconds that a scenario may last, since it runs in real time."""

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min)")


class Duration(float):
    """Seconds of a text such as ``"40s"`` or ``"2m"``."""

    least: ClassVar[float] = 0.1

    @classmethod
    def from_toml(cls, text: str) -> Self:
        length = _LENGTH.fullmatch(text.strip())
        if not length:
            raise ValueError(f'{text!r} is not a length of time such as "40s" or "2m"')
        value = float(length[1]) * (1.0 if length[2] == "s" else 60.0)
        if not cls.least <= value <= LONGEST:
            raise ValueError(f"it must be between {cls.least:g} and {LONGEST:g} seconds, not {value:g}")
        return cls(value)


class Offset(Duration):
    """Seconds since the scenario began, written like a ``Duration``."""

    least = 0.0


class NetworkTable(Section, frozen=True):
    """A table ``[[network]]``; see ``LabNetwork``."""

    asn: Asn
    access: Literal["fixed", "mobile"]
    users_share: Share
    name: str = ""
    country: CountryCode = ""
    vantage_points: Annotated[int, Meta(ge=1, le=50)] = 1
    lying: Count = 0
    broken: Count = 0
    portal: Count = 0

    def __post_init__(self) -> None:
        if is_unroutable(self.asn):
            raise WrongKey(
                "asn",
                f"AS{self.asn} is a number that no network on the public internet has, so the collector would keep its "
                "measurements apart and nothing would be found; use the country's own numbers, or some of those for "
                "documentation (64496 to 64511, 65536 to 65551)",
            )
        if self.lying + self.broken + self.portal > self.vantage_points:
            raise WrongKey("vantage_points", "there are fewer than lying, broken and portal together")

    def network(self, country: str) -> LabNetwork:
        settings = {
            "country": self.country or country,
            "name": self.name or f"AS{self.asn}",
            "access": Access(self.access),
        }
        return LabNetwork(**asdict(self) | settings)


class ChosenNetworks(Section, frozen=True):
    """``networks = {access = "mobile"}``: those of the country that have this access."""

    access: Literal["fixed", "mobile"]


class EventTable(Section, frozen=True):
    """A table ``[[event]]``; see ``ScenarioStep``.

    Attributes:
        networks: ASNs, or ``["*"]`` = all of the country.  Networks abroad are included only if named.
    """

    at: Offset
    technique: Text
    until: Duration | None = None
    targets: tuple[Text, ...] = ()
    networks: tuple[int | Literal["*"], ...] | ChosenNetworks = ("*",)
    compliance: Share = 1.0
    rate_kbps: Annotated[float, Meta(ge=0, le=1e7)] = 0.0
    keep: tuple[Text, ...] = ()

    def __post_init__(self) -> None:
        if self.technique not in TECHNIQUES:
            raise WrongKey("technique", none_of(self.technique, tuple(TECHNIQUES)))
        _check_targets("targets", self.targets)
        _check_targets("keep", self.keep)

    def step(self, networks: Sequence[LabNetwork], country: str, duration: float) -> ScenarioStep:
        """The event as a step; raises ``WrongKey`` if it does not fit its scenario."""
        if self.at > duration:
            raise WrongKey("at", f"it must be between 0 and {duration:g} seconds, not {self.at:g}")
        until = duration if self.until is None else min(float(self.until), duration)
        if until <= self.at:
            raise WrongKey("until", "it must be after at")
        given = {"at": float(self.at), "until": until, "networks": self._asns(networks, country)}
        return ScenarioStep(**asdict(self) | given)

    def _asns(self, networks: Sequence[LabNetwork], country: str) -> tuple[int, ...]:
        inside = [line for line in networks if line.country == country]
        if isinstance(self.networks, ChosenNetworks):
            access = self.networks.access
            asns = tuple(line.asn for line in inside if line.access == access)
            if not asns:
                raise WrongKey("networks", f"no [[network]] has access = {access!r}")
            return asns
        if self.networks == ("*",):
            return tuple(line.asn for line in inside)
        known = [line.asn for line in networks]
        for asn in self.networks:
            if asn not in known:
                near = get_close_matches(str(asn), [str(number) for number in known], n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(map(str, known))}"
                raise WrongKey("networks", f"{asn} is not one of the scenario's networks; {hint}")
        return tuple(int(asn) for asn in self.networks)


class ScenarioFile(Section, frozen=True):
    """The whole file; see ``Scenario``."""

    title: Text
    country: CountryCode
    duration: Duration
    networks: Some[NetworkTable] = field(name="network")
    seed: int = 7
    tick: Duration = Duration(2.0)
    tick_stands_for: Duration = Duration(TICK_STANDS_FOR)
    transfer_every: Annotated[int, Meta(ge=1, le=100)] = TRANSFER_EVERY
    begins: Instant | None = None
    targets: tuple[Text, ...] = ()
    events: tuple[EventTable, ...] = field(default=(), name="event")
    expects: tuple[Expectation, ...] = field(default=(), name="expect")

    def __post_init__(self) -> None:
        _check_targets("targets", self.targets)
        asns = [line.asn for line in self.networks]
        for nth, asn in enumerate(asns):
            if asn in asns[:nth]:
                raise WrongKey(f"network[{nth + 1}].asn", f"AS{asn} occurs twice")
        if sum(line.users_share for line in self.networks) > 1.0001:
            raise WrongKey("network", "the users_share of all networks together is more than 1")
        self.scenario()  # refuses events that do not fit

    def scenario(self) -> Scenario:
        networks = tuple(line.network(self.country) for line in self.networks)
        steps = []
        for number, event in enumerate(self.events, 1):
            try:
                steps.append(event.step(networks, self.country, float(self.duration)))
            except WrongKey as error:
                raise WrongKey(f"event[{number}].{error.key}", str(error)) from None
        plain = {key: float(value) for key, value in asdict(self).items() if isinstance(value, float)}
        named = [target for step in steps for target in step.targets]
        targets = tuple(dict.fromkeys([*self.targets, *named])) or DEFAULT_TARGETS
        given = {"targets": targets, "networks": networks, "events": tuple(steps)}
        return Scenario(**asdict(self) | plain | given)


_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")


def _check_targets(key: str, targets: tuple[str, ...]) -> None:
    for target in targets:
        if target not in platforms() and not _DOMAIN.fullmatch(target):
            platform = target_of(f"{target}.com")  # twitter -> x
            near = [platform] if platform in platforms() else get_close_matches(target, platforms(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "give a platform such as 'youtube', or a domain"
            raise WrongKey(key, f"{target!r} is neither a platform nor a domain; {hint}")


def load_scenario(path: Path) -> Scenario:
    """Read and check a file.

    Raises:
        FanousError: it cannot be read, or is wrong; the error names file, line and the nearest valid word.
    """
    return read(path, ScenarioFile).scenario()


def parse_scenario(text: str, where: str) -> Scenario:
    """The same from a file's text; ``where`` is for error messages."""
    return parse(text, ScenarioFile, where).scenario()


FOLDER = "scenarios"


def scenario_names() -> tuple[str, ...]:
    """In alphabetical order."""
    names = (entry.name for entry in (files(__package__) / FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def scenario_titles() -> dict[str, str]:
    """Name -> title."""
    return {name: shipped(name).title for name in scenario_names()}


def shipped(name: str) -> Scenario:
    """One of ``scenario_names``."""
    return parse_scenario((files(__package__) / FOLDER / f"{name}.toml").read_text("utf-8"), f"{name}.toml")


def networks_registered_elsewhere(scenario: Scenario) -> list[tuple[LabNetwork, str]]:
    """The networks whose numbers belong to a real network of another country, and that country: a monitor takes what
    is measured on them for measured abroad."""
    return [
        (network, home)
        for network in scenario.networks
        if (home := home_of(network.asn)) not in ("", network.country)
    ]


def scenario(name_or_path: str) -> Scenario:
    """A shipped scenario, or one from a file.

    Raises:
        FanousError: it does not exist, or is invalid.
    """
    if name_or_path in scenario_names():
        return shipped(name_or_path)
    path = Path(name_or_path)
    if path.is_file():
        return load_scenario(path)
    near = nearest(name_or_path)
    hint = f"did you mean {near!r}?" if near else "`fanous lab list` shows the included ones"
    raise FanousError(f"no scenario {name_or_path!r}, neither included nor a file; {hint}")


def nearest(name: str) -> str:
    """The shipped name most like ``name``; empty = none is close."""
    return next(iter(get_close_matches(name, scenario_names(), n=1)), "")
