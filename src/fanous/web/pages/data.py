"""Data: what can be taken away, where it comes from, and under which licence."""

from fanous.publish.evidence.licences import licence_of
from fanous.refdata.sources import SOURCES
from fanous.sources.measurements import MEASUREMENT_SOURCES
from fanous.store.protocol import Store
from fanous.web.page import Facts
from fanous.web.visit import Visit

MOST_COUNTRIES = 40
"""Asked which public series they have; a monitor of the world has the same sources in each."""


def data_facts(store: Store, _visit: Visit) -> Facts:
    """Terms of every source that could be in this store, and since when each public one gave nothing."""
    fetched: dict[str, float] = {}
    for country in store.countries()[:MOST_COUNTRIES]:
        for source, at in store.series_fetched(country).items():
            fetched[source] = max(at, fetched.get(source, at))
    return {
        "records": [(name, licence_of(name)) for name in MEASUREMENT_SOURCES],
        "series": [(source, fetched.get(source.name)) for source in SOURCES.values()],
    }
