"""Probes: what is tried from here, and recorded as OONI measurements (data format 0.2.0).

One step a file (``dns tcp tls http quic transfer``), each an ``async`` function that takes a ``Trace``,
tries one thing, writes what it saw into the trace and returns what the next step needs.  A failed step is
a result; only a bug, a cancellation or the data cap leaves a step as an exception.  ``endpoint`` puts the
steps of one URL together, ``run`` measures a list of them.

To add one: a file with such a function, its keys in ``Trace``, and a line in ``endpoint`` (or a nettest of
its own beside it).  Nothing here concludes: the words for people come from ``fanous.analysis.rules``.
"""
