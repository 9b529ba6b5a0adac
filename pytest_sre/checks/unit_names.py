"""Names of unit tests' items, such as ``slow burn::alert CheckoutBurnFast at 10m``, which pytest can select."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_sre.model.unittest import AlertCase, Case, UnitFile, UnitGroup
from pytest_sre.sources import duration

_LENGTH = 60


def group_names(file: UnitFile) -> list[str]:
    """A name for each of a file's tests: its own, else ``test 2`` (counted from 1); unique."""
    return _unique([_plain(group.name) or f"test {group.index + 1}" for group in file.groups])


def cases(group: UnitGroup) -> list[tuple[str, Case]]:
    """All questions of a test with unique names: alerts first, as they are asked."""
    asked: list[Case] = [*group.alerts, *group.exprs]
    return list(zip(_unique([_name(case) for case in asked]), asked, strict=True))


def _name(case: Case) -> str:
    at = f"at {duration.text(case.eval_time)}"
    if isinstance(case, AlertCase):
        return f"alert {_plain(case.alertname)} {at}"
    return f"expr {_plain(case.expr)} {at}"


def _plain(text: str) -> str:
    """One short line, without what separates the parts of an id."""
    line = re.sub(r"\s+", " ", text).strip().replace("::", ":").replace("[", "(").replace("]", ")")
    line = line.encode("unicode_escape").decode()
    return line if len(line) <= _LENGTH else line[: _LENGTH - 1] + "~"


def _unique(names: Iterable[str]) -> list[str]:
    """Equal names get numbers in brackets, which pytest wants last: ``alert A at 5m[2]``."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(f"{name}[{seen[name]}]" if seen[name] > 1 else name)
    return result
