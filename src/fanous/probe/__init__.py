"""Probe: measures from this machine, and records OONI measurements (data format 0.2.0).

Each step is a file (``dns``, ``tcp``, ``tls``, ``http``, ``quic``, ``transfer``) with an ``async`` function
that takes a ``Trace``, tries one thing, records what it saw in the trace and returns what the next step
needs. A failed step is a result; only a bug, a cancellation or the data cap ends a step with an exception.
``endpoint`` combines the steps for one URL, and ``run`` measures a list of URLs.

To add a step, write a file with such a function, add its keys to ``Trace``, and call it in ``endpoint`` (or
write a separate nettest).  Nothing is concluded here: verdicts come from ``fanous.analysis.rules``.
"""
