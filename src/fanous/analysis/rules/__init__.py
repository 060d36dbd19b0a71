"""Rules: turn an observation and its controls into a verdict; pure, and written as data.

To add one, write a ``Rule`` in the table of its layer (``dns``, with ``answers`` for lookups that were answered,
``connection``, ``quic``, ``http``, ``transfer``), above the first row that would otherwise decide the case, under an id
that was never used.  The order matters: explanations by the site, the probe or the user's own network come before
blocking. Then

- raise ``RULES_VERSION`` in ``verdicts``,
- add a golden case to tests/analysis/rules/golden,
- run ``python -m tests.ontology_tables``, which writes the rule into docs/ontology.md.

``rule.registered`` refuses a rule that declares too little.  A test follows this recipe
(tests/analysis/test_recipes.py).
"""

from fanous.analysis.rules.fingerprints import (
    BlockAddress,
    Fingerprint,
    FingerprintKind,
    Fingerprints,
    Where,
    compile_fingerprints,
    parse_fingerprints,
)
from fanous.analysis.rules.rule import Rule
from fanous.analysis.rules.verdicts import RULES, RULES_BY_ID, RULES_VERSION, judge

__all__ = [
    "RULES",
    "RULES_BY_ID",
    "RULES_VERSION",
    "BlockAddress",
    "Fingerprint",
    "FingerprintKind",
    "Fingerprints",
    "Rule",
    "Where",
    "compile_fingerprints",
    "judge",
    "parse_fingerprints",
]
