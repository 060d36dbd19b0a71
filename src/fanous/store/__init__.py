"""Store: what Fanous remembers - raw records, the facts taken from them, and incidents.

Three parts share one protocol (``store.protocol``): the *archive* keeps every raw record and is the only part
that cannot be recomputed; *facts* (ClickHouse's dialect, in-process by default) hold observations and
verdicts; the *ledger* (SQLite by default) holds incidents and their revisions.

What is acknowledged is on disk: a batch goes to the archive first, then to the facts, and is marked as
complete last.  After a crash, ``replay.recover`` judges every batch without a mark, so that nothing is lost
and nothing is stored twice.  To add a question that the store answers: a method in ``protocol``, its SQL in
the module of its subject (``votes``, ``coverage``, ``evidence`` ...), and its row in ``rows``.
"""
