"""Analysis: evidence in, conclusions out.  Pure: no clock, socket, file or environment."""
