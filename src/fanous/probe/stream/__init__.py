"""Stream: could a live video be watched from here, and how sharp?

``manifest`` reads HLS and DASH, ``nettest`` fetches what a player would fetch and records when it came,
``levels`` plays that at the rates of 240p, 480p and 720p.
"""
