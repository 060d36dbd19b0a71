"""Tools: programs for developers, many of which make files of the repository; nothing here runs in production."""
