"""The connector ooni."""
