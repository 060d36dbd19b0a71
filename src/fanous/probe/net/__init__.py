"""Net: the only place that opens sockets for measuring.

``network.Network`` is the seam: a probe speaks to it and to nothing else, so that a test can put a
``fanous.evaluation.simulate.fakes.FakeNetwork`` there.  ``sockets`` is the real one.  Failures leave this package as
ordinary exceptions and become data in ``failure.failure_of``: OONI's df-007 names.
"""
