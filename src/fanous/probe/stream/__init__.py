"""Stream: measures whether live video plays from here, and at what resolution.

``manifest`` reads HLS and DASH, ``nettest`` fetches what a player would fetch and records when it arrived, and
``playback`` plays that at the bit rates of 240p, 480p and 720p.
"""
