"""Rules: turn an observation and its controls into a verdict; pure, and all of it data.

To add a rule: one ``Rule`` in its layer's table, above the first one that would take the case, with an id
that was never used; a golden case in tests/analysis/rules; and a new ``RULES_VERSION``.  The order is the
meaning: what the site, the probe or the user's own network explains stands above what blocking explains.
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
from fanous.analysis.rules.verdicts import RULES, RULES_VERSION, judge, why

__all__ = [
    "RULES",
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
    "why",
]
