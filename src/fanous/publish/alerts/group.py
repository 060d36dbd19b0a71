"""Group: which alerts share a message, and which are sent first, so that many made-up incidents hold up no true one.

As in Prometheus' Alertmanager, alerts about the same country, network and kind make one message if they come close
together. What reaches further is a group of its own and is always sent first.  All that a change of the method takes
back is one group: its message lists for each channel what that channel was alerted to.
"""

from fanous.model.alert import AlertGroup, Priority
from fanous.model.incident import Incident, Kind, Scope
from fanous.model.instant import HOUR
from fanous.model.place import asn_of
from fanous.refdata.platforms import platforms


def group_of(incident: Incident) -> AlertGroup:
    """The group of an alert about this incident, for a channel that was told nothing else about it."""
    network = incident.entities[0] if len(incident.entities) == 1 and asn_of(incident.entities[0]) else ""
    if incident.scope is Scope.NATION:
        priority = Priority.NATION
    elif not network:
        priority = Priority.NETWORKS
    else:
        priority = Priority.PLATFORM if names_platform(incident) else Priority.SITE
    return AlertGroup(
        incident.country,
        network,
        incident.kind,
        priority,
        is_confirmed=incident.confirmed_at is not None,
        is_staged=incident.provenance.is_synthetic,
    )


METHOD_SETTLES = HOUR
"""Seconds without another correction after which a change of the method has probably been through all countries: a
country takes minutes, and they are judged one after another."""


def method_group(incident: Incident) -> AlertGroup:
    """The group of what another method took back."""
    staged = incident.provenance.is_synthetic
    return AlertGroup("", "", Kind.OUTAGE, Priority.METHOD, is_confirmed=True, is_staged=staged)


def names_platform(incident: Incident) -> bool:
    """Is it about the line itself, or a service that people know by name?"""
    return not incident.targets or not set(platforms()).isdisjoint(incident.targets)
