"""Publishers: incidents on their way outside - JSON documents, sentences, pictures, feeds.

A publisher decides nothing: every figure and status comes from the incident.  To add one: a module with
a function from an ``Incident`` to text or bytes.
"""
