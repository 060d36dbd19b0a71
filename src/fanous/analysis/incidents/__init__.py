"""Incidents: turn anomalies into incidents.  Pure: nothing is known except what is passed in.

In the order of the flow:

- ``assemble``: which anomalies are one event, and the incident made of them; its figures come from ``interference``
  (measurements) or ``outage`` (quantities)
- ``networks``: which networks may be named, and which parts of a service failed there
- ``chance``: which networks fell together, and which sessions, by more than chance
- ``confirm`` (measurements) and ``fusion`` (quantities): by which published rule it is confirmed
- ``extent``: how far it reaches, how deep it is, and since when; ``remainder``: what stays lower after an outage;
  ``hints``: what may point to a cause
- ``merge``: what was seen in several ways, or is known already, is one incident; ``revision``: reviews, corrections
  and news of it
- ``witnesses``, ``events``: an incident compared with sources, with claims by others, and with announced events

To add a rule of confirmation, write a function in ``confirm`` and a row in docs/methodology-reviewers.md.
"""
