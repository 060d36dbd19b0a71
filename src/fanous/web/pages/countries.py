"""Countries: all that are watched, by name, with what is said of them."""

from fanous.refdata.countries import country_name
from fanous.store.protocol import Store
from fanous.web.page import Facts
from fanous.web.pages.home import lately_heard, watched
from fanous.web.visit import Visit
from fanous.wording.narrative import is_open


def countries_facts(store: Store, visit: Visit) -> Facts:
    incidents = store.incidents()
    every = {*store.countries(), *(incident.country for incident in incidents)}
    lately = {one.country: one for one in watched(lately_heard(store, visit.now), visit)}
    lines = [
        (
            code,
            lately.get(code),
            sum(is_open(one) for one in incidents if one.country == code),
            sum(one.country == code for one in incidents),
        )
        for code in every
    ]
    lines.sort(key=lambda line: country_name(line[0], visit.language.code))
    return {"lines": lines}
