"""Alerts: sends each incident to the channels that asked for it, at least once and always under the same key.

    revision ─► outbox (same transaction) ─► routes: rules ─► deliveries ─► message ─► sender ─► finished

``channel`` and ``message`` decide and touch nothing; ``dispatch`` moves deliveries along.  ``senders`` explains how
to add a kind of channel.
"""
