"""Evidence: an incident's bundle - packed here, recomputed anywhere.

``pack`` takes an incident and the records it rests on out of a store; ``verify`` runs the live pipeline over
them in a store of its own and says MATCH, or what differs.  The file is a tar of named parts
(``container``), each by its SHA-256 in a manifest (``manifest``), which is signed (``signing``).  The
format is written down in docs/evidence.md.

Records leave a store redacted only.  To let those of a new source leave: a ``redact`` beside its connector
(an allow-list of what it parses) and one line each in ``redaction.REDACTORS`` and ``licences.LICENCES``.
"""
