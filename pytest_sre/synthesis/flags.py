"""Which metrics are 0 or 1, as far as names tell."""

from __future__ import annotations

import re

_FLAG = re.compile(r"(^|_)up$|_info$|^probe_success$|^ALERTS$")


def is_flag(name: str) -> bool:
    """Whether a metric is 0 or 1: ``up``, what ends so, and infos."""
    return bool(_FLAG.search(name))
