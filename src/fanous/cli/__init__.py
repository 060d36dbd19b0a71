"""Commands: groups of the command line that have a file of their own; ``cli`` mounts them."""
