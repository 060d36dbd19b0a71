"""Helper: the outside control of web_connectivity - the same target, tried from here, in the same minute.

Follows ooni/probe-cli, internal/oohelperd: ``plan`` is pure (what is asked, which endpoints are tried),
``reach`` does DNS, TCP and TLS, ``fetch`` HTTP, ``words`` says failures as theirs does, ``helper`` puts it
together.  It refuses targets that are not on the public internet, at each redirect anew, so that nobody
reaches our own network through it.  QUIC is not measured (theirs: off unless it is switched on).
"""

from fanous.collector.helper.helper import Helper, HelperPolicy

__all__ = ["Helper", "HelperPolicy"]
