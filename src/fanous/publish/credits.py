"""Credits: whose data an incident rests on, and under which licence; every picture states it."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from fanous.model.incident import Incident, Says
from fanous.sources.connector import OWN_DATA
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.sources.publishers import SOURCES
from fanous.wording.language import Language


def sources_of(incident: Incident) -> tuple[str, ...]:
    """Names of the sources it rests on; a family whose source is not known is ``family:NAME``, and not open."""
    names: list[str] = []
    for family in incident.evidence.families:
        # A family of measurements may rest on any of its sources; the first stands for others under the same licence.
        by_licence: dict[str, str] = {}
        for source in MEASUREMENT_SOURCES.values():
            if source.family == family:
                by_licence.setdefault(source.licence, source.name)
        if by_licence:
            names += by_licence.values()
            continue
        named = [
            series.partition(" ")[0]
            for opinion in incident.opinions
            if opinion.family == family and opinion.says is not Says.UNKNOWN
            for series in opinion.sources
        ]
        names += named or [f"family:{family}"]
    return tuple(dict.fromkeys(names))


def credit_line(incident: Incident, language: Language) -> str:
    """``Data: Fanous; OONI (CC BY-NC-SA 4.0)``."""
    return credits_line(sources_of(incident), language)


def credits_line(
    sources: Iterable[str], language: Language, licences: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The credit line of these sources, each named once.

    Args:
        licences: licences of sources whose licence varies: the operator's tables.
    """
    named = dict.fromkeys(_credit(name, licences.get(name, ""), language) for name in sources)
    return language.say("Data") + language.colon + language.semicolon.join(named) if named else ""


def licences_of(sources: Sequence[str]) -> list[dict[str, str]]:
    """Name, title, licence and credit of each source, for tables; what is unknown is empty."""
    sources_of_names = [SOURCES.get(name) for name in sources]
    return [
        {
            "name": name,
            "title": one.title if one else name,
            "licence": one.licence if one else "none stated",
            "credit": one.credit if one else "",
        }
        for name, one in zip(sources, sources_of_names, strict=True)
    ]


def credited(sources: Sequence[str]) -> dict[str, str]:
    """The columns of a table that say whose data it is and under which licence."""
    named = licences_of(sources)
    return {
        "source": "; ".join(one["credit"] or one["title"] for one in named),
        "licence": "; ".join(dict.fromkeys(one["licence"] for one in named)),
    }


def licence_words(licence: str) -> str:
    """A licence as printed next to a source, without a heading that says what it is."""
    return f"licence {licence}" if licence == NOT_STATED else licence


NOT_STATED = "not stated"


def _credit(name: str, licence: str, language: Language) -> str:
    source = SOURCES.get(name)
    if source is None:
        return language.apart(name.removeprefix("family:"))
    who = language.known(source.credit.partition(",")[0] or source.title)
    licence = licence or ("" if source.takes_columns else source.licence)
    if licence in ("", OWN_DATA):  # of the operator's tables, each has its own, which is not known here
        return who
    return f"{who} ({language.known(licence_words(licence))})"
