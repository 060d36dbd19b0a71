"""Collector: the probes' door - opens reports, keeps measurements, and tells probes what to measure.

It speaks OONI's collector protocol as OONI's server code does (ooni/backend, cited in each module), so that
OONI's probes could report here, though none has been run against it yet.  Its parts, each in a separate file:

- pure, request -> answer: ``submission`` (reports, and one measurement), ``services`` (check-in and
  the rest), ``request`` (sizes, encodings, refusals);
- at the door: ``origin`` (who calls, from which network), ``limits`` (rates; connections and slow clients);
- ``inbox``: acknowledged means fsynced; many acknowledgements share one fsync; the store's owner takes
  sealed files into the store;
- ``stream``: a queue between several collectors and the store;
- ``helper``: the outside control of web_connectivity, and ``reach``: what it never connects to;
- ``door`` (the routes, and the process) and ``server`` (which runs it and our other HTTP services).

A client's address is used only in memory, to limit requests and to derive a network; it is never written
anywhere.

To add a request of OONI's protocol, write a pure function in a separate file, a route in ``door``, and a
test.
"""
