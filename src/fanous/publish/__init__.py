"""Publish: what leaves the monitor, by whatever channel - feeds, pictures, an incident's names and witnesses.

It reads the store and gives text, bytes or plain facts in an ``edition``: one language, one address and one
moment.  How a reader asks for it and gets it (requests, replies, what is kept) belongs to the web.
"""
