"""The name that somebody probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like a wrong one, empty where none is."""
    return next(iter(difflib.get_close_matches(name, list(known), 1, 0.5)), "")
