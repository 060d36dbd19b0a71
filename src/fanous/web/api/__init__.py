"""API: ``/api/v1`` - the content of the pages, for programs.  It only reads.

``types`` has the types of questions and answers. ``endpoints`` reads requests by them and generates the OpenAPI
document, so that it always describes what is sent.

To add an address: its function in ``operations``, its line in ``OPERATIONS``.
"""

from fanous.web.api.endpoints import api_routes

__all__ = ["api_routes"]
