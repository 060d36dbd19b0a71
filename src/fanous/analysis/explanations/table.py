"""The table of what else it could be.  To add an explanation, add a row to one of its groups, and a sentence for it.

Rows that leave out a network are weighed first, all on everything that was measured; the rest on what remains.  There
is no third pass.
"""

from fanous.analysis.explanations.elsewhere import ELSEWHERE
from fanous.analysis.explanations.host import HOST
from fanous.analysis.explanations.instrument import INSTRUMENT
from fanous.analysis.explanations.line import LINE, OF_EVENT
from fanous.analysis.explanations.publisher import PUBLISHER
from fanous.analysis.explanations.resolver import RESOLVER
from fanous.analysis.explanations.service import SERVICE
from fanous.analysis.explanations.site import SITE

OF_NETWORKS = (*OF_EVENT, *ELSEWHERE)
"""Weighed against an ``Event``: they leave out networks."""

OF_CLAIM = (*INSTRUMENT, *SERVICE, *RESOLVER, *SITE, *HOST, *LINE)
"""Weighed against a ``Claim``: the networks that are left."""

OF_FALL = PUBLISHER
"""Weighed against a ``Fall``: what series show."""

TABLE = (*OF_NETWORKS, *OF_CLAIM, *OF_FALL)
"""All rows."""
