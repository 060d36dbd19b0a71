"""Publish: everything that leaves the monitor - feeds, pictures, reports, alerts, open data and evidence bundles.

It reads the store and returns text, bytes or plain facts for one ``edition``: one language, one address and one
moment. Requests, replies and caching belong to ``web``.
"""
