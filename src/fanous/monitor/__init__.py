"""Live: the whole monitor in one process, ``fanous run``.

One thread owns the store and answers questions about it (``fanous.store.ask``); everything else is a task of
one event loop that ``fanous.pipeline.scheduler`` keeps going:

- ``rounds``: this machine's own probe, on its schedule, into a journal on the disk;
- the collector, with an inbox on the disk;
- ``intake``: what waits in either is brought into the store, which judges and detects;
- ``hearing``: when each network was last heard, and which one is silent against its own habit;
- ``alerts``: what became of incidents is told over the channels of the configuration;
- ``local``: a unix socket over which the other commands reach the store;
- the pages.

Nothing is handed over in memory that is not on the disk, so kill -9 at any moment loses nothing that was
acknowledged.  To add a task: a module with its loop, a line in ``monitor.tasks_of``, and, if it has settings,
a table in ``configuration``.
"""
