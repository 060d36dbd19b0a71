"""Collector: the probes' door - opens reports, keeps measurements, and tells probes what to measure.

It speaks OONI's collector protocol as the server code behaves (ooni/backend, cited in each module), so that
a probe of OONI's could report here; no such probe has been run against it.  The parts, each its own file:

- pure, request -> answer: ``reports`` (ids), ``submission`` (one measurement), ``checkin``, ``bodies``;
- at the door: ``origin`` (who calls, from which network), ``limits``, ``connections`` (slow clients);
- ``journal`` and ``inbox``: acknowledged means fsynced; many acknowledgements share one fsync;
- ``drain``: the store's owner takes sealed files of the inbox into the store;
- ``helper``: the outside control of web_connectivity;
- ``door`` (the routes, and the process) and ``server`` (how it, and other HTTP services of ours, are run).

An address is used in memory, to limit and to derive a network; it is written nowhere.
To add a request of OONI's protocol: a pure function in its own file, a route in ``door``, its test.
"""
