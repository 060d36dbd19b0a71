"""The table of what else it could be.  To add an explanation, add a row to one of its groups, and a sentence for it.

Rows that leave out a network are weighed first, all on everything that was measured; the rest on what remains.  Nothing
is weighed a third time.
"""

from fanous.analysis.explanations.addresses import ADDRESSES
from fanous.analysis.explanations.home import ELSEWHERE
from fanous.analysis.explanations.host import HOST
from fanous.analysis.explanations.instrument import INSTRUMENT
from fanous.analysis.explanations.line import LINE, OF_EVENT
from fanous.analysis.explanations.publisher import OF_AGREEING, PUBLISHER
from fanous.analysis.explanations.resolver import RESOLVER
from fanous.analysis.explanations.service import SERVICE
from fanous.analysis.explanations.site import SITE

OF_NETWORKS = (*OF_EVENT, *ELSEWHERE)
"""Weighed against an ``MeasuredEvent``: they leave out networks."""

OF_NAMED_EVENT = (*INSTRUMENT, *SERVICE, *RESOLVER, *SITE, *HOST, *LINE)
"""Weighed against a ``NamedEvent``: the networks that are left."""

OF_SERIES_EVENT = PUBLISHER
"""Weighed against a ``SeriesEvent``: what series show."""

OF_AGREEMENT = (*ADDRESSES, *OF_AGREEING)
"""Weighed against an ``Agreement``: two families of which no row with this consequence holds confirm an outage."""

TABLE = (*OF_NETWORKS, *OF_NAMED_EVENT, *OF_SERIES_EVENT, *OF_AGREEMENT)
"""All rows."""
