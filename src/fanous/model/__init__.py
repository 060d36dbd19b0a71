"""Model: the nouns of Fanous, frozen dataclasses that every other package shares (``noun`` for those created by the
million).

Only the standard library is imported here, numpy for arrays, and msgspec by ``model.measurement`` alone.  Instants are
unix seconds, UTC; ``None`` and NaN mean "not measured" and are never 0.

To add a noun, put it in the file of its concept, or in a new one, with a docstring that gives units and the meaning of
missing values.
"""
