"""Remote: other people's vantage points: Globalping's probes, and RIPE Atlas'.

Their operators let others measure from their lines.  We cannot know whether answers on two days came from the same
machine, nor which probes were taken offline because their lines lost packets.  So they may support what another
family saw, but prove nothing by themselves (``analysis.incidents.confirm``).
"""
