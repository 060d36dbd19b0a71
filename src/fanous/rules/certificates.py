"""Rules for invalid certificates: interception, or a proxy near the user, a wrong clock, the site itself?

The same table stands in the layers at which a certificate can be seen to fail; ids begin with the layer.
"""

from fanous.model.observation import Layer, Observation
from fanous.model.verdict import State
from fanous.rules import mechanisms
from fanous.rules.controls import Controls
from fanous.rules.failures import Cause
from fanous.rules.rule import Rule
from fanous.rules.tcp import endpoint_failure

PUBLIC_AUTHORITIES = (
    "amazon",
    "certum",
    "comodo",
    "digicert",
    "entrust",
    "geotrust",
    "globalsign",
    "go daddy",
    "google trust",
    "gts ca",
    "isrg root",
    "let's encrypt",
    "rapidssl",
    "sectigo",
    "ssl.com",
    "starfield",
    "thawte",
    "usertrust",
    "wr1",
    "zerossl",
)
"""Words in the names of authorities that browsers trust (CA/Browser Forum members, CCADB)."""

PINNED = ("signal",)
"""Nettests that carry their service's own authority: a probe older than the service's change of it distrusts
the real service."""


def _from_public_authority(o: Observation, c: Controls) -> bool:
    """Issued for this name by an authority that browsers trust: the probe's list of them is too old."""
    issuer = o.cert_issuer.casefold()
    names = o.cert_subject.casefold().split()
    host = o.hostname.casefold()
    parent = "*." + host.partition(".")[2]
    return (
        c.cause is Cause.AUTHORITY
        and any(word in issuer for word in PUBLIC_AUTHORITIES)
        and (host in names or parent in names)
    )


def certificate_rules(layer: Layer) -> tuple[Rule, ...]:
    """The table for one layer; it decides every failure of a certificate but those without a control."""
    return (
        Rule(
            id=f"{layer.value}.own_certificate",
            layer=layer,
            state=State.DOWN,
            why="The site's own certificate is not valid: it fails from outside too.",
            holds=lambda _o, c: c.bad_certificate and c.helper_certificate_fails,
            mechanism=mechanisms.SERVER_DOWN,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.local_proxy",
            layer=layer,
            state=State.INSUFFICIENT,
            why="A control domain's certificate is from an unknown authority too: a proxy near the user, or "
            "an old list of authorities.",
            holds=lambda _o, c: c.cause is Cause.AUTHORITY and c.others_distrusted,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.clock",
            layer=layer,
            state=State.INSUFFICIENT,
            why="The certificate is out of date here but not outside, as on a machine with a wrong clock.",
            holds=lambda _o, c: c.cause is Cause.CERTIFICATE,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.old_authorities",
            layer=layer,
            state=State.INSUFFICIENT,
            why="A public authority issued the certificate for this name: the probe's list of authorities is "
            "too old.",
            holds=_from_public_authority,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.pinned_authority",
            layer=layer,
            state=State.INSUFFICIENT,
            why="The probe trusts only the service's former authority: a defect of the instrument.",
            holds=lambda _o, c: c.bad_certificate and c.evidence.bundle.measurement.test_name in PINNED,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.other_certificate_valid",
            layer=layer,
            state=State.OK,
            why="One address showed an invalid certificate while another showed a valid one.",
            holds=lambda _o, c: c.bad_certificate and c.works_elsewhere,
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.intercepted",
            layer=layer,
            state=State.BLOCKED,
            why="The certificate is not the site's, while the control was shown a valid one: somebody stands "
            "in between.",
            holds=lambda _o, c: c.bad_certificate and c.reachable is True,
            mechanism=mechanisms.of_certificate,
            figures=endpoint_failure,
        ),
    )
