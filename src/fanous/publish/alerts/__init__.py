"""Alerts: who is told of what, over which channel, at least once and under one key.

    revision ─► outbox (same transaction) ─► routing: rules ─► deliveries ─► message ─► sender ─► settled

``routing``, ``rule``, ``pace`` and ``message`` decide and touch nothing; ``dispatch`` moves deliveries on.
To add a kind of channel: a module in ``senders`` with a function from a message to an outcome, its line in
``senders.SENDERS``, and its key in ``settings``.
"""
