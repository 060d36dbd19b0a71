"""Monitor: everything that ``fanous run`` does, in one process.

One thread owns the store and answers questions about it (``fanous.store.protocol``); everything else is a task in
one event loop that ``fanous.pipeline.scheduler`` keeps running:

- ``rounds``: runs this machine's probe on its schedule, and writes to a journal on disk;
- the collector, with an inbox on disk;
- ``intake``: moves what waits in either into the store, judges it and detects incidents;
- ``tasks``: checks the monitor itself, records when each network was last heard from, deletes old data and
  sends alerts;
- ``control``: a unix socket at which other commands' calls (``fanous.pipeline.call``) are performed;
- the pages.

Nothing is handed over in memory that is not also on disk, so kill -9 at any moment loses nothing that was
acknowledged.  To add a task: a module with its loop, a line in ``tasks_of`` in ``monitor``, and, if it has
settings, a table in ``settings``.
"""
