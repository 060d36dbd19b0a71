"""Methodology: how a claim comes about, with the very rules and thresholds that run."""

from fanous.analysis.detectors import DETECTOR_VERSION, LEVEL
from fanous.analysis.incidents import confirm, scope
from fanous.analysis.rules import RULES, RULES_VERSION
from fanous.analysis.series.signals import SIGNALS
from fanous.store.protocol import Store
from fanous.web.page import Facts
from fanous.web.visit import Visit


def methodology_facts(_store: Store, _visit: Visit) -> Facts:
    return {
        "rules": RULES,
        "rules_version": RULES_VERSION,
        "detector_version": DETECTOR_VERSION,
        "confirm": confirm,
        "scope": scope,
        "level": LEVEL,
        "levels": [signal for signal in SIGNALS.values() if signal.is_quantity],
    }
