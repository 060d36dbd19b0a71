"""Scan: our own active probing of /24 blocks, as in Trinocular; run by an operator, and off by default.

Whether a block is up is a belief, not read off one packet: ``rounds`` (mostly pure) weighs answers, chooses
which addresses to ask next within 20 probes per block and hour, keeps the beliefs in a journal and makes
series of them; ``icmp`` sends and listens; ``targets`` reads which addresses may be pinged and which networks
opted out. Addresses stay in the operator's own files: only counts of blocks are published.

Source: Quan, Heidemann, Pradkin, "Trinocular: Understanding Internet Reliability Through Adaptive Probing",
SIGCOMM 2013.
"""
