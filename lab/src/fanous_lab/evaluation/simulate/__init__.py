"""Simulation: generators of made-up events, for ``fanous demo``, ``fanous evaluate`` and tests.

Nothing here may import a rule or a detector: the code that generates an event must not share a parameter with the
code that is supposed to find it.
"""
