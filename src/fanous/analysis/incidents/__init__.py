"""Incidents: turn anomalies into incidents.  Pure: nothing is known except what is passed in.

In the order of the flow:

- ``group``: which anomalies are one event, - ``networks`` and ``alternatives``: which networks may be named, and what
else could explain it, - ``confirm`` (measurements) and ``fusion`` (quantities): by which published rule it is
confirmed, - ``scope``: how far it reaches, - ``assemble`` (measurements) and ``outage`` (quantities): the incident
itself, with ``hints`` at a cause, - ``merge``: what was seen in several ways, or is known already, is one incident, -
``revision``: reviews, corrections and news of an incident, - ``witnesses``, ``claims``, ``events``: an incident
compared with sources, with claims by others, and with announced events.

To add a rule of confirmation, write a function in ``confirm`` and a paragraph in docs/methodology.md.
"""
