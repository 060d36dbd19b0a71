"""Incidents: anomalies in, incidents out.  Pure: what is on the table is all that is known.

``correlate`` says which anomalies are one event, ``scope`` how far it reaches, ``confirm`` by which
published rule it stands, ``lifecycle`` puts the incident together.  A rule added here is a function in
``confirm`` and a paragraph in docs/methodology.md.
"""
