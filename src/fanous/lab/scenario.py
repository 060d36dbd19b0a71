"""Script: a scenario from a TOML file that anybody may write; the format is public (docs/formats.md).

A complaint names file, line, and the nearest right word.

Scenario: a country, what happens in it, and what must be found.

``tick`` is the pause between two rounds of a vantage point in the lab; unless a scenario says otherwise it
stands for ten minutes of a monitor's time, so a two-second tick compresses time three hundredfold.

Catalogue: the scenarios included in Fanous, by name; each gives its sources and how it compresses time.
"""

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from fanous.config import Table
from fanous.errors import FanousError
from fanous.lab.truth import TRUTHS
from fanous.model.incident import Kind, Scope
from fanous.model.place import Access
from fanous.refdata.platforms import platforms, target_of

TICK_STANDS_FOR = 600.0
"""Seconds of a monitor's time that one tick of the lab stands for (the pipeline's bin)."""

TRANSFER_EVERY = 2
"""Ticks from one measurement of rates to the next, at each vantage point, the targets in turn: twenty minutes of the
monitor's clock; after six of them a probe has an ordinary rate."""


@dataclass(frozen=True, slots=True)
class LabNetwork:
    """One network of the lab's country.

    Attributes:
        country: where it is; another one than the scenario's = abroad.
        users_share: of the country's users, 0..1.
        lying: vantage points (the last ones) that report failures that did not happen.
        broken: vantage points (those before the lying) whose own line loses most packets.
        portal: vantage points behind a login page.
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
    """One technique, applied for a while.

    Attributes:
        at: seconds since the scenario began; likewise ``until``.
        targets: platforms or domains; empty = does not apply.
        networks: ASNs.
        compliance: share of the matching vantage points that are hit, 0..1.
        rate_kbps: of a throttle; 0 = does not apply.
        keep: targets that an allow-list leaves.
    """

    at: float
    until: float
    technique: str
    targets: tuple[str, ...]
    networks: tuple[int, ...]
    compliance: float = 1.0
    rate_kbps: float = 0.0
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """One incident that must be found.

    Attributes:
        kind: ``blocking``, ``throttling``, ``outage`` or ``slowdown``.
        scope: ``None`` = any.
        targets: that it must name; empty = whatever.
        mechanisms: one of these must be named; empty = whatever.
        access: ``None`` = any.
        confirmed: ``False`` = a suspicion is enough (and a confirmation no error).
    """

    kind: Kind
    scope: Scope | None
    targets: tuple[str, ...]
    mechanisms: tuple[str, ...]
    access: Access | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """A country, what happens in it, and what must be found; without an expectation nothing may be.

    Attributes:
        tick: seconds between the rounds of a vantage point.
        duration: seconds.
        targets: what is probed: those of the events, or ``targets`` of the file.
        begins: instant of the monitor's clock at which it begins; ``None`` = so that it ends now.
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
"""Probed where neither the file nor an event names a target."""

LONGEST = 3600.0
"""Seconds that a scenario may last: it is real time."""


def load_scenario(path: Path) -> Scenario:
    """Read and check a file.

    Raises:
        FanousError: it cannot be read, or is wrong; names file, line, and the nearest right word.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FanousError(f"the scenario {path} cannot be read: {error}") from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, where: str) -> Scenario:
    """The same from the text of a file; ``where`` is for complaints."""
    try:
        top = Table(where, "", tomllib.loads(text), text)
    except tomllib.TOMLDecodeError as error:
        raise FanousError(f"{where} is not TOML: {error}") from None
    top.allow(*_TOP)
    networks = _networks(top)
    duration = seconds(top, "duration", most=LONGEST)
    events = tuple(_event(table, networks, top.country(), duration) for table in top.tables("event"))
    return Scenario(
        title=top.text("title"),
        country=top.country(),
        seed=top.integer("seed", default=7),
        tick=seconds(top, "tick", default="2s"),
        duration=duration,
        targets=_probed(top, events),
        networks=networks,
        events=events,
        expects=tuple(_expectation(table) for table in top.tables("expect")),
        begins=top.instant("begins") if top.has("begins") else None,
        tick_stands_for=seconds(top, "tick_stands_for", default=f"{TICK_STANDS_FOR}s"),
        transfer_every=_transfer_every(top),
    )


_NETWORK = ("asn", "name", "country", "access", "users_share", "vantage_points", "lying", "broken", "portal")
_TOP = (
    *(
        "title",
        "country",
        "seed",
        "tick",
        "tick_stands_for",
        "transfer_every",
        "duration",
        "begins",
        "targets",
    ),
    *("network", "event", "expect"),
)


def _transfer_every(top: Table) -> int:
    every = top.integer("transfer_every", default=TRANSFER_EVERY)
    if not 1 <= every <= 100:
        raise top.wrong("transfer_every", "1 to 100 ticks are possible")
    return every


def _networks(top: Table) -> tuple[LabNetwork, ...]:
    found = tuple(_line(table, top.country()) for table in top.tables("network"))
    if not found:
        raise top.wrong("network", "a country needs at least one [[network]]")
    asns = [line.asn for line in found]
    for nth, table in enumerate(top.tables("network")):
        if asns[nth] in asns[:nth]:
            raise table.wrong("asn", f"AS{asns[nth]} stands twice")
    if sum(line.users_share for line in found) > 1.0001:
        raise top.wrong("network", "the users_share of all networks together is more than 1")
    return found


def _line(table: Table, country: str) -> LabNetwork:
    table.allow(*_NETWORK)
    asn = table.integer("asn", default=0)
    line = LabNetwork(
        country=table.country() if table.has("country") else country,
        asn=asn,
        name=table.text("name", default=f"AS{asn}"),
        access=Access(table.one_of("access", (Access.FIXED, Access.MOBILE))),
        users_share=number(table, "users_share", 0, 1),
        vantage_points=table.integer("vantage_points", default=1),
        lying=table.integer("lying", default=0),
        broken=table.integer("broken", default=0),
        portal=table.integer("portal", default=0),
    )
    if not 0 < line.asn < 2**32:
        raise table.wrong("asn", "the number of the network is needed, such as 17557")
    if not 1 <= line.vantage_points <= 50:
        raise table.wrong("vantage_points", "1 to 50 are possible")
    if (
        min(line.lying, line.broken, line.portal) < 0
        or line.lying + line.broken + line.portal > line.vantage_points
    ):
        raise table.wrong("vantage_points", "there are fewer than lying, broken and portal together")
    return line


def _event(table: Table, networks: tuple[LabNetwork, ...], country: str, duration: float) -> ScenarioStep:
    table.allow("at", "until", "technique", "targets", "networks", "compliance", "rate_kbps", "keep")
    event = ScenarioStep(
        at=seconds(table, "at", least=0.0, most=duration),
        until=min(seconds(table, "until", default=f"{duration}s"), duration),
        technique=table.one_of("technique", tuple(TRUTHS)),
        targets=_targets(table, "targets"),
        networks=_matching(table, networks, country),
        compliance=number(table, "compliance", 0, 1, default=1.0),
        rate_kbps=number(table, "rate_kbps", 0, 1e7, default=0.0),
        keep=_targets(table, "keep"),
    )
    if event.until <= event.at:
        raise table.wrong("until", "it must lie after at")
    return event


def _matching(table: Table, networks: tuple[LabNetwork, ...], country: str) -> tuple[int, ...]:
    """ASNs of ``networks = [17557]``, ``["*"]`` or ``{access = "mobile"}``; all where nothing is said.

    Networks abroad are meant only where they are named.
    """
    known = [line.asn for line in networks]
    inside = [line for line in networks if line.country == country]
    if not table.has("networks") or table.values["networks"] == ["*"]:
        return tuple(line.asn for line in inside)
    if isinstance(table.values["networks"], dict):
        chosen = table.table("networks")
        chosen.allow("access")
        access = chosen.one_of("access", (Access.FIXED, Access.MOBILE))
        found = tuple(line.asn for line in inside if line.access == access)
        if not found:
            raise table.wrong("networks", f"no [[network]] has access = {access!r}")
        return found
    for asn in table.integers("networks"):
        if asn not in known:
            near = get_close_matches(str(asn), [str(one) for one in known], n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(map(str, known))}"
            raise table.wrong("networks", f"{asn} is none of the scenario's networks; {hint}")
    return table.integers("networks")


def _targets(table: Table, key: str) -> tuple[str, ...]:
    """Platforms and domains; empty where the key is missing."""
    found = table.texts(key) if table.has(key) and table.values[key] != [] else ()
    for target in found:
        if target not in platforms() and not _DOMAIN.fullmatch(target):
            own = target_of(f"{target}.com")  # twitter -> x
            near = [own] if own in platforms() else get_close_matches(target, platforms(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "give a platform such as 'youtube', or a domain"
            raise table.wrong(key, f"{target!r} is no platform and no domain; {hint}")
    return found


_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")


def _probed(top: Table, events: tuple[ScenarioStep, ...]) -> tuple[str, ...]:
    own = _targets(top, "targets")
    named = [target for event in events for target in event.targets]
    return tuple(dict.fromkeys([*own, *named])) or DEFAULT_TARGETS


def _expectation(table: Table) -> Expectation:
    table.allow("kind", "scope", "targets", "mechanisms", "access", "status")
    scope = table.one_of("scope", tuple(Scope), default="")
    access = table.one_of("access", tuple(Access), default="")
    return Expectation(
        kind=Kind(table.one_of("kind", tuple(Kind))),
        scope=Scope(scope) if scope else None,
        targets=_targets(table, "targets"),
        mechanisms=table.texts("mechanisms") if table.has("mechanisms") else (),
        access=Access(access) if access else None,
        confirmed=table.one_of("status", ("confirmed", "suspected"), default="confirmed") == "confirmed",
    )


_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0}
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min)")


def seconds(
    table: Table, key: str, *, default: str | None = None, least: float = 0.1, most: float = LONGEST
) -> float:
    """Seconds of a text such as ``"40s"`` or ``"2m"``."""
    text = table.text(key, default=default)
    found = _LENGTH.fullmatch(text.strip())
    if not found:
        raise table.wrong(key, f'{text!r} is no length of time such as "40s" or "2m"')
    value = float(found[1]) * _UNITS[found[2]]
    if not least <= value <= most:
        raise table.wrong(key, f"it must lie between {least:g} and {most:g} seconds, not {value:g}")
    return value


def number(table: Table, key: str, least: float, most: float, *, default: float | None = None) -> float:
    """A number within bounds."""
    value = table.values.get(key, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise table.wrong(key, f"a number between {least:g} and {most:g} is needed, not {value!r}")
    return float(value)


FOLDER = "scenarios"


def scenario_names() -> tuple[str, ...]:
    """In the order of the alphabet."""
    found = (one.name for one in (files(__package__) / FOLDER).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def scenario_titles() -> dict[str, str]:
    """Name -> title."""
    return {name: shipped(name).title for name in scenario_names()}


def shipped(name: str) -> Scenario:
    """One of ``scenario_names``."""
    return parse_scenario((files(__package__) / FOLDER / f"{name}.toml").read_text("utf-8"), f"{name}.toml")


def scenario(name_or_path: str) -> Scenario:
    """A shipped scenario, or one from a file.

    Raises:
        FanousError: there is none, or it is wrong.
    """
    if name_or_path in scenario_names():
        return shipped(name_or_path)
    path = Path(name_or_path)
    if path.is_file():
        return load_scenario(path)
    near = nearest(name_or_path)
    hint = f"did you mean {near!r}?" if near else "`fanous lab list` shows those that ship"
    raise FanousError(f"there is no scenario {name_or_path!r}, neither shipped nor a file; {hint}")


def nearest(name: str) -> str:
    """The shipped name most like ``name``; empty = none is."""
    return next(iter(get_close_matches(name, scenario_names(), n=1)), "")
