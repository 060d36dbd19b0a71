"""Tools: what makes files that stand in the repository; nothing here runs in earnest."""
