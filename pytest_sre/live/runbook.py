"""Ask the queries of an alert's runbook of the Prometheus in which it fires, with the labels that it fires with.

What goes wrong here costs the answers, never the run: a query that takes too long or gets no answer has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import requests

from pytest_sre.errors import StackError
from pytest_sre.live.job import Job
from pytest_sre.model.rules import Rule
from pytest_sre.model.runbook_query import Answer, Part, Query
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import selectors
from pytest_sre.sources.runbook_library import Library, Unreadable, is_page
from pytest_sre.sources.runbook_links import resolved
from pytest_sre.sources.runbook_placeholders import WORDS, fill
from pytest_sre.sources.runbook_queries import queries_of
from pytest_sre.stack.backend import Server, Stack
from pytest_sre.stack.prometheus import RuleState

_TIMEOUT = 5  # seconds for one query
_AT_ONCE = 4


def answers(
    job: Job, stack: Stack, server: Server, states: Mapping[Rule, RuleState]
) -> dict[Rule, tuple[Answer, ...]]:
    """What this Prometheus answers to the queries of the runbooks of those of its alerts that fire."""
    settings = job.settings
    library = Library(settings.file.runbooks, settings.root.resolve(), settings.folder)
    asked: dict[Rule, tuple[Query, ...]] = {}
    labels: dict[Rule, Mapping[str, str]] = {}
    for rule, state in states.items():
        firing = next((one for one in state.alerts if one["state"] == "firing"), None)
        if rule in job.runbooks and firing:
            asked[rule], labels[rule] = queries(library, firing["annotations"]), firing["labels"]
    return ask(stack, server, asked, labels)


def queries(library: Library, annotations: Mapping[str, str]) -> tuple[Query, ...]:
    """The queries of the runbook that a fired alert links to; none where it cannot be read here."""
    url = library.settings.link(annotations)[1]
    local = library.of_url(url) if url else None
    page = resolved(local).path if local else None
    if local is None or page is None or not is_page(page):
        return ()
    try:
        runbook = library.page(page).runbook
    except Unreadable:
        return ()
    section = runbook.section(local.anchor)
    return queries_of(runbook, section) if section else ()


def ask(
    stack: Stack,
    server: Server,
    asked: Mapping[Rule, Sequence[Query]],
    labels: Mapping[Rule, Mapping[str, str]],
) -> dict[Rule, tuple[Answer, ...]]:
    """The answers to the queries of each alert, as far as there are some; each text is asked once."""
    wanted = {rule: [(one, _texts(one, labels[rule])) for one in own] for rule, own in asked.items() if own}
    if not wanted:
        return {}
    firsts = dict.fromkeys(texts for own in wanted.values() for _, texts in own)
    with ThreadPoolExecutor(_AT_ONCE, "sre-runbook") as pool:
        shares = [list(firsts)[n::_AT_ONCE] for n in range(_AT_ONCE)]
        answers: dict[tuple[str, ...], Answer] = {}
        for done in pool.map(lambda share: _Asker(stack, server).all(share), shares):
            answers |= done
    return {
        rule: tuple(replace(answers[texts], query=one) for one, texts in own if texts in answers)
        for rule, own in wanted.items()
    }


def _texts(query: Query, labels: Mapping[str, str]) -> tuple[str, ...]:
    """What a query may mean: the first that Prometheus takes is it."""
    return tuple(dict.fromkeys(fill(query.text, labels, word) for word in WORDS))


@dataclass(slots=True)
class _Asker:
    """Asks one server, one query after the other; remembers the series of metrics."""

    stack: Stack
    server: Server
    series: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def all(self, asked: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], Answer]:
        """An answer for each that Prometheus has one to."""
        found = {}
        with self.stack.session() as client:
            for texts in asked:
                answer = self._one(client, texts)
                if answer is not None:
                    found[texts] = answer
        return found

    def _one(self, client: requests.Session, texts: tuple[str, ...]) -> Answer | None:
        refused = None
        for text in texts:
            said = self._query(client, text)
            if said is None:
                return None
            if said.get("errorType") == "bad_data":
                refused = refused or Answer(Query("", 0), text, str(said.get("error", "")))
                continue
            if said.get("status") != "success":  # it ran, and what is here does not go together
                return Answer(Query("", 0), text)
            empty = said["data"]["resultType"] in ("vector", "matrix") and not said["data"]["result"]
            parts = tuple(self._parts(client, text)) if empty else ()
            return Answer(Query("", 0), text, empty=empty, parts=parts)
        return refused

    def _parts(self, client: requests.Session, text: str) -> Iterator[Part]:
        """What each selector finds; nothing where one of their metrics is not here at all."""
        try:
            parse(text)
        except PromqlError:
            return
        own = selectors(text)
        there = [self._series(client, one.name) if one.name else [] for one in own]
        for selector, series in zip(own, there, strict=True):
            if not all(there):
                return
            said = self._query(client, to_text(replace(selector, offset=0.0, at=None)))
            if said is None or said.get("status") != "success":
                return
            yield Part(selector.name, bool(said["data"]["result"]), _values(series))

    def _series(self, client: requests.Session, name: str) -> list[dict[str, str]]:
        if name not in self.series:
            said = self._query(client, to_text(VectorSelector(name)))
            known = said is not None and said.get("status") == "success"
            self.series[name] = [one["metric"] for one in said["data"]["result"]] if said and known else []
        return self.series[name]

    def _query(self, client: requests.Session, text: str) -> dict[str, Any] | None:
        asked = {"query": text, "timeout": f"{_TIMEOUT}s"}
        try:
            answer = client.post(self.server.url + "/api/v1/query", data=asked, timeout=2 * _TIMEOUT)
            said = answer.json()
        except (requests.RequestException, StackError, ValueError):
            return None
        return said if isinstance(said, dict) else None


def _values(series: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for labels in series:
        for name, value in labels.items():
            if name != "__name__":
                found.setdefault(name, {})[value] = None
    return {name: tuple(sorted(values)) for name, values in found.items()}
