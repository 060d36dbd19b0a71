"""Benchmarks next to peers: Fanous and another program on the same core, in the same run.

To add one: a file with a function that returns ``Figure``s, and a command in ``benchmarks/__main__.py``.  The ratio
comes first, since absolute figures differ from machine to machine.
"""
