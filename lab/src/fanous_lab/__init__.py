"""Lab: a national internet in network namespaces, with its censors, using real packets.

``plan.Plan`` says what to build, ``internet.Internet`` builds it and takes it down, ``censors.TECHNIQUES``
lists what a censor can do to it, and ``internet.NamespacedNetwork`` lets the probe's own code run at a
vantage point.  It needs root on Linux.  Nothing here touches the machine's own network: every interface is
created inside a namespace, and no route leads out of them.
"""
