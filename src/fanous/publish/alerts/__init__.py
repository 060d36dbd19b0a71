"""Alerts: sends each incident to those who asked to know, at least once and always under the same key.

    revision ─► outbox (same transaction) ─► routes: rules ─► deliveries ─► message ─► sender ─► settled

``channel`` and ``message`` decide and touch nothing; ``dispatch`` moves deliveries along.  How to add a kind of
channel stands in ``senders``.
"""
