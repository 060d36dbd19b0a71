"""The connector ooni-csv."""
