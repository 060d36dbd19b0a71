"""The helper's view: did it get through the same step as the probe?"""

from dataclasses import dataclass

from fanous.analysis.rules.addresses import is_bogon
from fanous.analysis.rules.evidence import CONNECTIONS, MeasurementEvidence
from fanous.analysis.rules.failures import LOOKUP_CAUSES, Cause, cause_of
from fanous.model.observation import Layer, Observation


@dataclass(frozen=True, slots=True)
class HelperView:
    """The helper's word on one step.

    Attributes:
        cause: how the step failed; ``UNKNOWN`` where it worked.
        same: the helper's observation of the very same step; ``None`` = it made none.
    """

    evidence: MeasurementEvidence
    step: Observation
    cause: Cause
    same: Observation | None

    @property
    def reachable(self) -> bool | None:
        """Did the helper get through this step?  ``None`` = nothing tells.

        A redirect's host was reached if the helper loaded the page behind it.  An endpoint that the
        helper did not try (or could not reach, while it reached the site) is told by the page alone, where
        that came through this port.
        Helpers of the time before 2022 tried no handshakes: there the page has to fail in the same way.
        """
        same = self.same
        if same is not None and same.layer is Layer.DNS:
            return self._name_is_known(same)
        if same is not None and same.failure is None:
            return True
        if self.evidence.helper_loaded_page:
            told = same is None and self._page_tells and not self._address_is_down
            return True if told else None if self.step.layer in CONNECTIONS else False
        return False if same is not None or self._page_failed_alike else None

    def _name_is_known(self, lookup: Observation) -> bool | None:
        """Outside: by the helper's lookup, or where that gave no address by the page that came all the same.

        Old helpers wrote down an alias alone as no address.
        """
        if lookup.failure is None and lookup.answers:
            return not all(map(is_bogon, lookup.answers))
        if lookup.failure is not None and cause_of(lookup.failure) is Cause.NXDOMAIN:
            return False
        if self.evidence.helper_loaded_page:
            return True
        is_alike = lookup.failure is not None or self.cause is Cause.NO_ANSWER
        return False if is_alike or self.evidence.helper_page is not None else None

    @property
    def _page_tells(self) -> bool:
        """Does the page that the helper loaded speak for this step?  One in clear does not for port 443."""
        o = self.step
        return self.evidence.was_asked(o) or self.evidence.helper_works_at(o.layer, o.port)

    @property
    def _address_is_down(self) -> bool:
        """Of a handshake: the helper could not even connect there."""
        o = self.step
        connection = self.evidence.helper_endpoints.get((Layer.TCP, o.ip, o.port))
        return o.layer is Layer.TLS and connection is not None and connection.failure is not None

    @property
    def _page_failed_alike(self) -> bool:
        """The helper's request failed as this step did, or without a name, and it tried no such step.

        Of a request over TLS; or where a redirect led, since the helper got through to the site itself.
        """
        page, o = self.evidence.helper_page, self.step
        if page is None or page.failure is None:
            return False
        if o.role == "redirect":
            there = self.evidence.helper_endpoints.get((o.layer, o.ip, o.port))
            if there is not None and there.failure is None:
                return False
            causes = {self.cause, cause_of(page.failure)}
            is_alike = len(causes) == 1 or Cause.UNKNOWN in causes or causes <= LOOKUP_CAUSES
            return is_alike and self.evidence.helper_works_at(Layer.TCP)
        if o.layer not in (Layer.TCP, Layer.TLS) or o.layer in self.evidence.helper:
            return False
        if not page.url.startswith("https:"):
            return False
        return cause_of(page.failure) in (self.cause, Cause.UNKNOWN)
