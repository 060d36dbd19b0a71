"""Lab: a national internet in network namespaces, its censors, and what happens in it."""
