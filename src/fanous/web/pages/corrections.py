"""Corrections: what was claimed and taken back or narrowed since, and why."""

from fanous.pipeline.claims import corrections
from fanous.store.protocol import Store
from fanous.web.page import Facts
from fanous.web.visit import Visit

MOST = 100


def corrections_facts(store: Store, _visit: Visit) -> Facts:
    found = corrections(store)
    return {"corrections": found[:MOST], "more": max(0, len(found) - MOST)}
