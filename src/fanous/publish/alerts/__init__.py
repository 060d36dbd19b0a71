"""Alerts: sends each incident to those who asked to know, at least once and always under the same key.

    revision ─► outbox (same transaction) ─► routes: rules ─► deliveries ─► message ─► sender ─► settled

``routes``, ``rule``, ``pace`` and ``message`` decide and touch nothing; ``dispatch`` moves deliveries along.
To add a kind of channel: a module in ``senders`` with a function that sends a message and returns an
``Attempt``, its line in ``senders.SENDERS``, and its key in ``settings``.
"""
