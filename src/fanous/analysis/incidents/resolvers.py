"""Resolvers: through whose resolvers wrong or missing answers came."""

from collections import Counter
from collections.abc import Collection, Iterator

from fanous.analysis.explanations.event import ases
from fanous.analysis.rules.addresses import PUBLIC_RESOLVERS
from fanous.model.reason import Reason
from fanous.model.series import Votes
from fanous.model.threshold import threshold

LEAST_SHARE = threshold(
    "incidents.resolver_share",
    0.1,
    "Share of the failures from which the resolvers behind wrong or missing answers are named, as mechanisms "
    "are.",
)


def through_resolvers(witness: Votes) -> Iterator[Reason]:
    """Through which resolvers wrong answers came: the networks' own, public ones, or those of another network."""
    answers = witness.where(witness.resolver_asns > 0)
    if len(answers) < LEAST_SHARE * len(witness) or not len(answers):
        return
    pairs = Counter(zip(answers.asns.tolist(), answers.resolver_asns.tolist(), strict=True))
    of_network = Counter(answers.asns.tolist())
    named = {pair for pair, n in pairs.items() if n >= LEAST_SHARE * of_network[pair[0]]}
    own = {asn for asn, resolver in named if asn == resolver}
    if own:
        yield Reason("resolver.own", {"entities": ases(own)})
    others = {pair for pair in named if pair[0] != pair[1]}
    public = {pair for pair in others if pair[1] in PUBLIC_RESOLVERS}
    if public:
        yield Reason("resolver.public", {"entities": _firsts(public), "resolvers": _seconds(public)})
    if others - public:
        told = others - public
        yield Reason("resolver.other", {"entities": _firsts(told), "resolvers": _seconds(told)})


def _firsts(pairs: Collection[tuple[int, int]]) -> tuple[str, ...]:
    return ases({one for one, _ in pairs})


def _seconds(pairs: Collection[tuple[int, int]]) -> tuple[str, ...]:
    return ases({other for _, other in pairs})
