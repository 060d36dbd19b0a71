"""Tests of alerts: real ledgers, real servers on loopback."""
