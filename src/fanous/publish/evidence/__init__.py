"""Evidence bundles: everything that an incident rests on, packed here and recomputed anywhere.

``pack`` takes an incident and the records it rests on from a store; ``verify`` runs the live pipeline over them in a
separate store and prints MATCH or the differences.  The file is a tar of named parts (``container``), whose SHA-256
digests are in a manifest (``manifest``), which is signed.  The format is documented in docs/evidence.md.

Records leave a store only in redacted form.  Each source of measurements declares its redactor, an allow-list of
the fields it parses, and its licence.
"""
