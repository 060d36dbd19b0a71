"""Incidents: anomalies in, incidents out.  Pure: what is on the table is all that is known.

``correlate`` says which anomalies are one event, ``scope`` how far it reaches, ``confirm`` by which
published rule it stands, ``lifecycle`` puts the incident together.  A rule added here is a function in
``confirm`` and a paragraph in docs/methodology.md.
"""

import sys
from types import ModuleType
from typing import Any


class _Incidents(ModuleType):
    """``fanous.incidents(store, "PK")`` is the library's question, though a package has the same name: Python
    binds a package to its parent whatever stands there."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return sys.modules["fanous.pipeline.library"].incidents(*args, **kwargs)


sys.modules[__name__].__class__ = _Incidents
