"""The nouns of Fanous: frozen dataclasses that every other package speaks in (``noun`` where there are many).

Only the standard library is imported here, numpy by ``model.series`` alone.  Instants are unix
seconds, UTC; ``None`` and NaN mean "not measured", never 0.  To add a noun: one file, one noun, and a
docstring that gives units and the meaning of missing values.
"""
