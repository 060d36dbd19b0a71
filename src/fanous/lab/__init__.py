"""Lab: a national internet in network namespaces, and its censors, with real packets.

``plan.Plan`` says what to build, ``internet.Internet`` builds it and takes it down, ``censors.TECHNIQUES``
has what a censor does to it, ``seam.NamespacedNetwork`` lets the probe's own code stand at a vantage point.
It needs root on Linux.  Nothing here touches the machine's own network: every interface is created inside a
namespace, and no route leads out of them.
"""
