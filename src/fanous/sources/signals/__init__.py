"""Signals: series that public sources publish, one source a file; files of such series, and tables of any shape."""
