"""Which alerts mean something else than in a git revision, and why: an aid to select, never a verdict."""
