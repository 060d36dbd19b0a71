"""Net: the only place that opens sockets for measuring.

``network.Network`` is the seam: a probe uses nothing else, so a test can substitute a
``tests.builders.FakeNetwork``.  ``sockets`` is the real one.  Failures leave this package
as ordinary exceptions; ``failure.failure_of`` turns them into data: OONI's df-007 names.
"""
