"""Errors: what a reader gets instead of a page."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fanous.web.api.operations import ROOT
from fanous.web.api.problem import problem
from fanous.web.headers import security_headers
from fanous.web.site import Site
from fanous.web.templates import rendered
from fanous.web.visit import visit_of

HTML = "text/html; charset=utf-8"


def refusal(request: Request, site: Site, error: Exception) -> Response:
    """A page for 404 and its kin, and for a bug or a store that does not answer: of the inside it tells
    nothing.  (Starlette raises a bug again after this, so that the server's log has it.)"""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = security_headers(request.url.path, secure=site.url.startswith("https://"))
    if isinstance(error, HTTPException):
        headers |= error.headers or {}
    if request.url.path.startswith(f"{ROOT}/"):
        return problem(status, f"{request.method} {request.url.path}", headers)
    text = rendered("error.html", visit_of(request, site), {"status": status, "why": _why(error)})
    return Response(text, status, media_type=HTML, headers=headers | {"Cache-Control": "no-store"})


def _why(error: Exception) -> str:
    """What a reader may be told: only of a refusal that is ours, 409."""
    return str(error.detail) if isinstance(error, HTTPException) and error.status_code == 409 else ""
