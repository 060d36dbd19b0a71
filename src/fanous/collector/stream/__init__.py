"""Stream: NATS JetStream between any number of collectors and the owner of the store.

A collector publishes each measurement under its identity and acknowledges it when a majority of the servers
has it (``publish``).  A writer pulls, stores, and acknowledges after the store did (``pull``, ``drain``). So
a measurement may arrive twice, which the store recognises by its identity, but none is lost.  Measurements
that cannot be used go to one separate stream, those that name no network to another, as in an inbox.
"""
