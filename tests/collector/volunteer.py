"""A volunteer with a credential: OONI's own client half (ooniauth-py, what its probes' library is made from)."""

from typing import Any

import httpx
import msgspec
import pytest

from tests.collector.probe import measurement

oa = pytest.importorskip(
    "ooniauth_py", reason="credentials need ooniauth-py, which has no wheel for this machine"
)


class Volunteer:
    """What an engine does at its start, and with each measurement (ooni/probe-cli at 7cb22410,
    internal/userauth/submitter.go).

    Attributes:
        manifest: as the collector gave it.
        state: the credential; it changes with each proof that was verified.
    """

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.manifest = client.get("/api/v1/manifest").raise_for_status().json()
        self.state = oa.UserState(self.manifest["manifest"]["public_parameters"])

    def register(self) -> httpx.Response:
        sent = {
            "manifest_version": self.manifest["meta"]["version"],
            "credential_sign_request": self.state.make_registration_request(),
        }
        answer = self.client.post("/api/v1/sign_credential", json=sent)
        if answer.is_success:
            self.state.handle_registration_response(answer.json()["credential_sign_response"])
        return answer

    def proved(
        self,
        content: str,
        asn: str = "AS17557",
        *,
        of: str | None = None,
        age: tuple[int, int] | None = None,
    ) -> dict[str, Any]:
        """The body of a submission; ``of``: the proof is made for another measurement."""
        (rule,) = self.manifest["manifest"]["submission_policy"]
        given, count = rule["policy"]["age"], rule["policy"]["min_measurement_count"]
        proof = self.state.make_submit_request_with_hash("PK", asn, of or content, age or tuple(given), count)
        return {
            "format": "json",
            "content": content,
            "nym": proof.nym,
            "zkp_request": proof.request,
            "manifest_version": self.manifest["meta"]["version"],
            "protocol_version": oa.get_protocol_version(),
        }

    def submit(self, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        response = self.client.post("/api/v1/submit_measurement", json=body, headers=headers)
        answer: dict[str, Any] = response.raise_for_status().json()
        if answer["submit_response"]:
            self.state.handle_submit_response(answer["submit_response"])
        return answer


def registered(client: httpx.Client) -> Volunteer:
    volunteer = Volunteer(client)
    volunteer.register().raise_for_status()
    return volunteer


def content(number: int = 0, **fields: Any) -> str:
    """A measurement as text, as it is sent without a report."""
    return msgspec.json.encode(measurement(number, **fields)).decode()
