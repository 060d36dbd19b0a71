"""Claims: what other organisations publish about outages, kept next to our evidence and never part of it."""
