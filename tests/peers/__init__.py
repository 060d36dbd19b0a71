"""Peers: Fanous against the programs of others that it speaks with.  ``make peers`` fetches what can be installed; what
is missing is named by the test that is left out for it.
"""
