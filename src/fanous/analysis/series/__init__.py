"""Series: turns verdicts into votes and votes into series; baselines, silence, repeats and slowness.

To add a signal, declare it with one row in ``analysis.series.signals``.  Nothing else names it; detectors watch it by
the first kind of incident that it ``proves``.

- A quantity (``_level``) comes from a source, which gives its series this name.
- A signal counted from verdicts declares ``layers``, ``states`` and ``symptoms``, which say what votes for it.
  ``analysis.series.aggregate`` and the store's queries (``store.vote_sql``) count it from then on.

Run ``python -m tests.ontology_tables`` for the documents.  ``tests/sources/test_recipes.py`` performs this recipe.
"""
