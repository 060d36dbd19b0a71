"""Credits: whose data an incident rests on, and under which licence; a picture carries them inside itself."""

from fanous.model.incident import Incident, Says
from fanous.sources.measurements import MEASUREMENTS
from fanous.sources.publishers import SOURCES
from fanous.wording.language import Language


def sources_of(incident: Incident) -> tuple[str, ...]:
    """What its claim rests on; a family without a named source stands as ``family:NAME``, and is not open."""
    found: list[str] = []
    for family in incident.evidence.families:
        # A family of measurements may rest on each of its sources; the first speaks for others of its licence.
        by_licence: dict[str, str] = {}
        for source in MEASUREMENTS.values():
            if source.family == family:
                by_licence.setdefault(source.licence, source.name)
        if by_licence:
            found += by_licence.values()
            continue
        named = [
            series.partition(" ")[0]
            for opinion in incident.opinions
            if opinion.family == family and opinion.says is not Says.UNKNOWN
            for series in opinion.sources
        ]
        found += named or [f"family:{family}"]
    return tuple(dict.fromkeys(found))


OURS = "ours"


def credit_line(incident: Incident, language: Language) -> str:
    """``Data: Fanous; OONI (CC BY-NC-SA 4.0)``."""
    named = dict.fromkeys(_credit(name) for name in sources_of(incident))
    return f"{language.say('Data')}: {language.apart('; '.join(named))}" if named else ""


def _credit(name: str) -> str:
    source = SOURCES.get(name)
    if source is None:
        return name.removeprefix("family:")
    who = source.credit.partition(",")[0] or source.title
    return who if source.licence == OURS else f"{who} ({source.licence})"
