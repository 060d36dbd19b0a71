"""Data: what can be taken away, where it comes from, and under which licence."""

from fanous.store import Store
from fanous.web.page import Facts
from fanous.web.visit import Visit


def data_facts(store: Store, _visit: Visit) -> Facts:
    return {"countries": store.countries()}
