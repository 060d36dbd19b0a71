"""Cost: published methods, each by its own formula; pure.  What a method cannot say for a country it says so.

To add a method: a function from an economy to an estimate of a whole shutdown in ``methods``, and its line in
``METHODS``.
"""

from fanous.analysis.cost.methods import cost_of, of_incident

__all__ = ["cost_of", "of_incident"]
