"""Helper: the outside control of web_connectivity: the same target, tried from here in the same minute.

Follows ooni/probe-cli, internal/oohelperd: ``plan`` is pure (the question, the endpoints to try, the answer's form and
wording), and ``helper`` does DNS, TCP, TLS and HTTP.  It refuses targets that are not on the public internet, at each
redirect too, and this machine's own addresses and its neighbours' (``reach``), so that no one can reach our own network
through it.  QUIC is not measured (in OONI's it is off by default).
"""

from fanous.collector.helper.helper import Helper, HelperPolicy
from fanous.collector.helper.reach import reach_of

__all__ = ["Helper", "HelperPolicy", "reach_of"]
