"""Network: one ASN in one country - what could be reached from it, and which incidents name it."""

from fanous.model.incident import Status
from fanous.model.place import asn_of
from fanous.publish.stories import DAY, stories
from fanous.publish.window import newest, whole_hours
from fanous.refdata.countries import is_country
from fanous.refdata.networks import registered_name
from fanous.refdata.users import user_weights
from fanous.store.protocol import Store
from fanous.web.page import Facts
from fanous.web.pages.country import WINDOWS, days_asked, network_lines
from fanous.web.pages.grids import by_target
from fanous.web.visit import Visit


def network_facts(store: Store, visit: Visit) -> Facts | None:
    code, place = visit.asked["country"], visit.asked["network"]
    asn = asn_of(place)
    days = days_asked(visit)
    since, until = whole_hours(visit.now - days * DAY, visit.now + 1)
    lines = [line for line in network_lines(store, code, since, until) if line.asn == asn]
    names = store.networks(code)
    if not is_country(code) or (not lines and asn not in names):
        return None
    naming = [incident for incident in store.incidents(code) if place in incident.entities]
    standing = [incident for incident in naming if incident.status is not Status.RETRACTED]
    drawn = newest(store, code, since, until)
    votes = store.votes(code, drawn, until)
    return {
        "code": code,
        "asn": asn,
        "entity": place,
        "days": days,
        "windows_asked": WINDOWS,
        "names": names,
        "registered": registered_name(asn),
        "line": lines[0] if lines else None,
        "weights": user_weights(code),
        "drawn": drawn if drawn > since else None,
        "incidents": stories(store, sorted(naming, key=lambda incident: -incident.onset)),
        "grid": by_target(votes, standing, code, asn, visit.language),
    }
