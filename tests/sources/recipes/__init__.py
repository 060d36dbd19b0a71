"""Plug-ins that the recipes are performed with; ``test_recipes`` brings each into a copy of the package."""
