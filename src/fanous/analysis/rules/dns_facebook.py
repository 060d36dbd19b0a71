"""Rules for Facebook's names, which its messenger looks up and no helper does."""

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.controls import Controls
from fanous.analysis.rules.dns_figures import answered, forged
from fanous.analysis.rules.rule import Rule
from fanous.model.observation import Layer, Observation
from fanous.model.verdict import State

FACEBOOK = 32934

LEAST_NAMES = 2
"""Names of Facebook's at one address outside its network: a filter's server stands in for all of them."""


def _not_facebook(o: Observation, c: Controls) -> bool:
    known = [asn for asn in o.answer_asns if asn]
    return (
        c.evidence.parsed.measurement.test_name == "facebook_messenger"
        and bool(known)
        and FACEBOOK not in known
        and c.answer.is_unconnected
    )


def _one_address_for_facebook(o: Observation, c: Controls) -> bool:
    """Several of Facebook's names are answered with one address that is not Facebook's.

    Its content network has servers with operators, so its names do not count.
    """
    if c.evidence.parsed.measurement.test_name != "facebook_messenger":
        return False
    others_network = any(o.answer_asns) and FACEBOOK not in o.answer_asns
    names = {s.hostname for s in c.evidence.of(Layer.DNS) if not set(s.answers).isdisjoint(o.answers)}
    return others_network and sum(not name.endswith(".fbcdn.net") for name in names) >= LEAST_NAMES


FACEBOOKS = (
    Rule(
        id="dns.not_facebook",
        layer=Layer.DNS,
        state=State.BLOCKED,
        why="Facebook's name was answered with an address outside Facebook's network, and nothing answers "
        "there.",
        holds=lambda o, c: o.failure is None and _not_facebook(o, c),
        mechanism=mechanisms.FORGED,
        figures=forged,
        disowns=True,
    ),
    Rule(
        id="dns.one_address_for_facebook",
        layer=Layer.DNS,
        state=State.INSUFFICIENT,
        why="Several of Facebook's names were answered with one address outside Facebook's network; nothing "
        "tells whose it is.",
        holds=lambda o, c: o.failure is None and _one_address_for_facebook(o, c),
        mechanism=mechanisms.FORGED,
        figures=answered,
        symptom=True,
    ),
)
