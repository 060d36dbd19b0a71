"""Analysis: draws conclusions from evidence.  Pure: no clock, socket, file or environment."""
