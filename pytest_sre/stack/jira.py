"""A Jira that remembers its issues: Alertmanager resolves only what a search finds open, with a transition it knows."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_sre.stack.answers import Answer, answer, json_answer

_LABEL = re.compile(r"ALERT\{[0-9a-f]+\}")
_ISSUE = re.compile(r".*/issue/(SRE-\d+)(/transitions)?/?")
_OPEN = {"status": {"name": "To Do", "statusCategory": {"key": "new"}}}


class Issues:
    """The open issues of each wave, by the label that Alertmanager gives a group."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], str] = {}
        self._made = 0
        self._transitions: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def allow(self, transitions: Iterable[str]) -> None:
        """Name the transitions that every issue has."""
        self._transitions = tuple(dict.fromkeys(transitions))

    def answer(self, wave: str, method: str, path: str, body: bytes) -> Answer:
        """What Jira answers; look-ups and transitions are auxiliary, so that an issue's text counts once."""
        bare = path.partition("?")[0]
        label = _LABEL.search(body.decode("utf-8", "replace"))
        issue = _ISSUE.fullmatch(bare)
        with self._lock:
            if bare.endswith(("/search", "/search/jql")) and label:
                return self._found(self._open.get((wave, label[0])))
            if issue and issue[2]:
                return self._transition(wave, method, issue[1])
            if bare.endswith("/issue") and method == "POST" and label:
                return self._create(wave, label[0], bare)
        return answer("jira", method, "", path, body)

    def _found(self, key: str | None) -> Answer:
        issues = [{"id": key, "key": key, "fields": _OPEN}] if key else []
        return json_answer(
            {"startAt": 0, "maxResults": 2, "total": len(issues), "isLast": True, "issues": issues},
            auxiliary=True,
        )

    def _transition(self, wave: str, method: str, key: str) -> Answer:
        if method == "GET":
            names = [{"id": str(i + 1), "name": name} for i, name in enumerate(self._transitions)]
            return json_answer({"transitions": names}, auxiliary=True)
        self._open = {place: issue for place, issue in self._open.items() if (place[0], issue) != (wave, key)}
        return Answer(204, auxiliary=True)

    def _create(self, wave: str, label: str, path: str) -> Answer:
        self._made += 1
        key = f"SRE-{self._made}"
        self._open[wave, label] = key
        return json_answer({"id": str(self._made), "key": key, "self": f"{path}/{self._made}"}, 201)


def transitions_of(document: Mapping[str, Any]) -> Iterator[str]:
    """The transitions that the receivers of an Alertmanager configuration name."""
    for receiver in document.get("receivers") or ():
        for entry in receiver.get("jira_configs") or ():
            for key in ("resolve_transition", "reopen_transition"):
                if entry.get(key):
                    yield str(entry[key])
