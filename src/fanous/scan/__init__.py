"""Scan: our own active probing of /24 blocks, as in Trinocular; run by an operator, and off by default.

Which blocks are up is believed, not read off one packet: ``belief`` (pure) weighs answers, ``rounds`` (pure)
says whom to ask next within 20 probes per block and hour, ``icmp`` sends and listens, ``targets`` reads whom
the operator may ask and who opted out, ``journal`` keeps what is believed, ``level`` makes series of it.
Addresses stay in the operator's own files: what is published is counts of blocks.

Source: Quan, Heidemann, Pradkin, "Trinocular: Understanding Internet Reliability Through Adaptive Probing",
SIGCOMM 2013.
"""
