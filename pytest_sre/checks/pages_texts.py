"""Did the texts that a person reads render? Part of `pages`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pytest_sre.checks.case import Case
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import Notification

_UNRENDERED = re.compile(r"<no value>|<error expanding template|\{\{.*?\}\}", re.S)


def unrendered(
    case: Case, notifications: Iterable[Notification], check: str, what: str, next_step: str
) -> Iterator[Finding]:
    """A finding for each field with `<no value>`, a template error or an unexpanded template; ``what`` is "the text"."""
    told: set[tuple[str, str]] = set()
    for notification in notifications:
        for name, text in notification.texts.items():
            found = _UNRENDERED.search(text)
            if found and (str(notification.integration), name) not in told:
                told.add((str(notification.integration), name))
                yield Finding(
                    check,
                    case.rule.location,
                    f"{what} that {notification.integration} gets for {case.rule.name} did not render",
                    expected=f"{name} without {found[0][:60]!r}",
                    seen=_around(text, found.start()),
                    next_step=next_step,
                )


def _around(text: str, at: int) -> str:
    start = max(0, at - 60)
    return f"{'…' if start else ''}{text[start : at + 80]}".replace("\n", " ⏎ ")
