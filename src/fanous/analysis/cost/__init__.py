"""Cost: what a disruption costs, by published methods, each with its own formula; pure.  A method without a figure
for a country says so.

To add a method, write a function in ``methods`` from an economy to an estimate of a whole shutdown, and add it to
``METHODS``.
"""

from fanous.analysis.cost.methods import cost_of, of_incident

__all__ = ["cost_of", "of_incident"]
