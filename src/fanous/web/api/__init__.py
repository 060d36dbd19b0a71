"""API: ``/api/v1`` - the content of the pages, for programs.  It only reads.

``types`` has the types of questions and answers. The OpenAPI document is generated from them, so that it always
describes what is sent.  To add an address: its function in ``operations``, its line in ``OPERATIONS``.
"""

from fanous.web.api.openapi import api_routes

__all__ = ["api_routes"]
