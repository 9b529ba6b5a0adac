"""Our scenarios as promtool's unit tests, so that nobody is locked in."""
