"""The name that somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], alike: float = 0.5) -> str:
    """The known name that is most like a wrong one, empty where none is; ``alike`` is how much it must be, of 1."""
    return next(iter(difflib.get_close_matches(name, list(known), 1, alike)), "")
