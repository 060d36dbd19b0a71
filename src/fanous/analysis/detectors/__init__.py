"""Detectors: find anomalies in series; pure and stateless, so that replay is the live code path.

To add one, write ``analysis/detectors/NAME.py`` with

- a frozen ``Options`` dataclass in which each threshold is an ``option`` with its reason,
- a function ``find_...(series, options) -> list[Anomaly]``,
- a ``Detector`` (``analysis.detectors.detector``) that declares its name, version, kind, signals and options,

and import it in ``analysis/detectors/registry.py``, where its name joins the others in ``DETECTORS``.  It then runs in
every detection.  Each option gets a permanent id (``detectors``, the detector's name and the option's, joined by dots)
and is recorded in evidence bundles; ``make tables`` writes it into the documents.  A test follows this recipe
(tests/analysis/test_recipes.py).
"""
