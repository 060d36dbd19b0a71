"""Remote: vantage points of other people - Globalping's probes, and RIPE Atlas'.

Their operators let others measure from their lines.  We cannot know whether two answers of two days came from the same
machine, nor who was taken off line because his line lost packets.  So they may second what another family saw, and
prove nothing by themselves (``analysis.incidents.confirm``).
"""
