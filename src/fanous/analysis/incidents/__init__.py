"""Incidents: turn anomalies into incidents.  Pure: nothing is known except what is passed in.

In the order of the flow:

- ``assemble``: which anomalies are one event, and how its status, its end and its confidence follow
- ``interference`` (measurements) and ``outage`` (quantities): the incident that an event is
- ``networks``: which networks may be named, and which parts of a service failed there; ``brackets``: between which
  two measurements it began and ended
- ``chance``: which networks fell together, and which sessions, by more than chance
- ``confirm`` (measurements) and ``families`` (quantities): by which published rule it is confirmed
- ``course``: since when an outage is on, and how deep it is; ``recovery``: what stays lower after one; ``traffic``:
  whether only a platform's fell
- ``scope``: how far an event reaches; ``hints``: what may point to a cause
- ``merge``: what was seen in several ways, or is known already, is one incident; ``revision``: reviews, corrections
  and news of it
- ``names``: the incident as readers see it, without names that no one watches; ``disputes``: what strangers deny

To add a rule of confirmation, write a function in ``confirm`` and a row in docs/methodology-reviewers.md.
"""
