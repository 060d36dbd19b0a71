"""Series: turns verdicts into votes and votes into series; baselines, silence, repeats and slowness.

To add a signal, declare it with one row in ``analysis.series.signals``.  Nothing else names it:

- a quantity (``_level``): a source gives it under this name, and the detector of its kind looks for departures in it.
- one that is counted from verdicts: ``layers``, ``states`` and ``symptoms`` say which verdicts vote for it.
  ``analysis.series.aggregate`` and the store's queries (``store.votes``) count it from then on, and the detector
  of its kind watches it.

Run ``python -m tests.ontology_tables`` for the documents.  ``tests/sources/test_recipes.py`` performs this recipe.
"""
