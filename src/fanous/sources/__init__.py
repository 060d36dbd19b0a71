"""Sources: other people's data, and the files of our own probes.

A source is one file with one class, whose attributes say who publishes it and under which licence
(``sources.connector.Source``), and its line in a registry: ``sources.measurements`` for raw measurements,
``sources.publishers`` for series and claims.  The line is an entry and its import.  Nothing else names a source: the
command line and its help, the store, confirmation, bundles, the open-data export, pages and documents read the class,
and one that lacks something fails at import.

To add

- raw measurements in OONI's format: ``sources/NAME.py``, a subclass of ``sources.ooni.source.OoniFormat`` with its
  attributes, the ``family`` among them.  In another format (``sources.connector.MeasurementSource``) it has ``read`` (a
  file to records), ``parse`` (a record to its measurement and observations; pure), ``take`` and ``redact``;
  ``sources.redaction`` helps.
- a kind of file with series: ``sources/signals/NAME.py``, a subclass of ``sources.connector.SeriesFiles`` with
  ``read``; ``sources.signals.rows`` reads CSV and makes series of it.
- series of a publisher on the internet: ``sources/signals/NAME.py``, a subclass of
  ``sources.signals.live.LiveSource`` with ``pieces`` and ``parse``, ``address`` and ``every``; ``sources.answer`` reads
  JSON.  Its saved answers can be read as files too.
- claims of such a publisher: the same in ``sources/claims/NAME.py``; ``sources.claims`` helps.

Then add a sample to the tests of the contract (``tests/sources/test_contract.py``,
``tests/sources/signals/samples.py``), which check every source, describe its files in docs/formats.md, and run
``python -m tests.source_tables``, which writes the tables of the documents.  ``tests/sources/test_recipes.py`` performs
each of these recipes.

Rules for all: memory stays flat as a file grows; what cannot be used is reported with its line and the reason; NaN
means that nothing was measured, never 0; of two values for the same bin, the later one counts; ``Record.data``
contains no address of a probe or its user; the same bytes always give the same identity.
"""
