"""Bench: how fast Fanous is on this machine, beside others where there are any; ``fanous bench``.

To add one: a file with a function that gives ``Figure``s, and a command in ``commands.bench``.  A comparison
runs in turn on the same core and server, and its ratio comes first: absolute figures differ by machine.
"""
