"""Rules for invalid certificates: interception, or a proxy near the user, a wrong clock, the site itself?

The same table stands in the layers at which a certificate can be seen to fail; ids begin with the layer.
"""

from fanous.analysis.rules import mechanisms
from fanous.analysis.rules.controls import ENCRYPTED, Controls
from fanous.analysis.rules.failures import Cause
from fanous.analysis.rules.rule import Rule
from fanous.analysis.rules.tcp import endpoint_failure
from fanous.model.measurement import Layer, Observation
from fanous.model.verdict import State

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


_HOME_PROXIES = (
    "adguard",
    "avast",
    "avg web",
    "bitdefender",
    "dr.web",
    "eset ssl filter",
    "kaspersky",
    "spider gate",
)
"""Words in the names of the authorities that programs against viruses and advertisements install on their own
machine to look into its connections, as their makers document them."""


def _is_public(issuer: str) -> bool:
    return any(word in issuer.casefold() for word in PUBLIC_AUTHORITIES)


def _is_of_home_proxy(o: Observation) -> bool:
    return any(word in o.cert_issuer.casefold() for word in _HOME_PROXIES)


def _may_be_clock(o: Observation, c: Controls) -> bool:
    """Out of date here.  An interceptor's own may be that too.

    It is another's where the helper meets a valid one at this very address and other names' are in date by
    the same clock.
    """
    same = c.same_step
    met_valid = same is not None and same.failure is None and same.layer is o.layer is not Layer.HTTP
    is_anothers = bool(o.cert_issuer) and not _is_public(o.cert_issuer)
    in_date = c.another_name_works or any(
        s.failure is None and s.resolver in ENCRYPTED for s in c.evidence.of(Layer.DNS)
    )
    return c.cause is Cause.CERTIFICATE and not (met_valid and is_anothers and in_date)


def _from_public_authority(o: Observation, c: Controls) -> bool:
    """Issued for this name by an authority that browsers trust: the probe's list of them is too old."""
    names = o.cert_subject.casefold().split()
    host = o.hostname.casefold()
    parent = "*." + host.partition(".")[2]
    return c.cause is Cause.AUTHORITY and _is_public(o.cert_issuer) and (host in names or parent in names)


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
            why="A control domain's certificate is from an unknown authority too, or this one is from that "
            "of a program on users' own machines: a proxy near the user, or an old list of authorities.",
            holds=lambda o, c: c.cause is Cause.AUTHORITY and (c.others_distrusted or _is_of_home_proxy(o)),
            figures=endpoint_failure,
        ),
        Rule(
            id=f"{layer.value}.clock",
            layer=layer,
            state=State.INSUFFICIENT,
            why="The certificate is out of date here but not outside, as on a machine with a wrong clock.",
            holds=_may_be_clock,
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
            holds=lambda _o, c: c.bad_certificate and c.evidence.parsed.measurement.test_name in PINNED,
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
