"""Incidents: turns anomalies into incidents.  Pure: nothing is known but what is passed in.

``group`` says which anomalies are one event, ``scope`` how far it reaches, ``confirm`` by which published rule
it stands, and ``assemble`` puts the incident together.  A rule added here is a function in ``confirm`` and a
paragraph in docs/methodology.md.
"""
