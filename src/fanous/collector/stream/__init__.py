"""Stream: NATS JetStream between any number of collectors and the owner of the store.

A collector publishes each measurement under its identity and acknowledges it when a majority of the servers
has it (``publish``).  A writer pulls, stores, and acknowledges after the store did (``pull``, ``drain``).
So a measurement may come twice, which the store knows by its identity, and none is lost.  What cannot be
used is set aside in a stream of its own; what names no network in another, as in an inbox.
"""
