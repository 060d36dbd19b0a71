"""Fanous: an independent, open monitor of internet disruptions."""

__version__ = "0.1.0"
