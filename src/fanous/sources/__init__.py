"""Sources: other people's data, and the files of our own probes.

``measurements`` and ``publishers`` name them all.  To add one:

- raw measurements: a package with a class that has ``read`` (I/O: a file -> records) and ``parse`` (pure: a record
  -> measurement and observations) as ``connector.MeasurementSource`` describes them, and a ``redact``, without which
  its records never leave a store (``fanous.publish.evidence``);
- a file of series: a class with ``read`` as ``signals.files.SeriesFiles`` describes it;
- series or claims of an online publisher: a class with ``pieces`` and ``parse`` as ``signals.live.LiveSource``
  describes them; its saved responses can then be read as files too.

Each gets a line in one of the two, and a test.  The terms of a source are in ``fanous.sources.connector``, its
signals in ``fanous.analysis.series.signals``.
``tests/sources/test_contract.py`` checks every one of them.

Rules for all: memory stays flat as a file grows; what cannot be used is reported with its line and the reason; NaN
means that nothing was measured, never 0; of two values for the same bin, the later one counts; ``Record.data`` holds
no address of a probe or its user; the same bytes give the same identity for ever.
"""
