"""Store: what Fanous remembers, in three objects.

``store.archive`` keeps every raw record and is the only part that cannot be computed again; ``store.facts``
(ClickHouse's dialect, in-process by default) holds observations, verdicts and series in columns;
``store.ledger`` (SQLite by default) holds incidents and their revisions, claims, events, leases and alerts.
Operations on more than one of them (``append``, ``forget``, ``replace_verdicts``, ``move``) are methods of
the store itself.

What is acknowledged is on disk: a batch goes to the archive first, then to the facts, and is marked as
complete last.  After a crash, ``pipeline.replay.recover`` judges every batch without a mark, so that nothing
is lost and nothing is stored twice.  To add a query, write a method and its SQL in the module of its subject
(``votes``, ``evidence``, ``coverage``, ``series``), with the row it returns unless that is in the model.
"""
