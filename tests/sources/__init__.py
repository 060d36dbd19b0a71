"""Connectors: files of every odd kind in, records and observations out."""
