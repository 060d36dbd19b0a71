"""API: ``/api/v1`` - what the pages say, for programs.  It only reads.

``types`` are the answers and questions; the OpenAPI document is written from them, so that it cannot say
anything else than what is sent.  To add an address: its function in ``operations``, its line in ``OPERATIONS``.
"""

from fanous.web.api.routes import api_routes

__all__ = ["api_routes"]
