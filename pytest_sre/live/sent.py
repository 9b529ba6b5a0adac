"""What Prometheus sent for each firing alert, as the sink received it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pytest_sre.live.fire import Fire
from pytest_sre.model.rules import Rule
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.prometheus import RuleState
from pytest_sre.stack.sink import PostedAlert, Sink

SEND_QUIET = 5.0  # seconds: five resends without anything new mean that all was sent
NOTIFIER_DELAY = 6.0  # seconds: Prometheus tells its notifier where Alertmanager is 5 s after it starts


def wait(stack: Stack, fire: Fire, states: Mapping[Rule, RuleState]) -> None:
    """Wait until Prometheus has sent all that fires, or evidently sends no more. Raises StackError."""
    firing = sum(alert["state"] == "firing" for state in states.values() for alert in state.alerts)
    count, since = -1, time.monotonic()
    while firing:
        stack.check(fire.server)
        now = len(_posted(fire, stack.sink))
        if now != count:
            count, since = now, time.monotonic()
        quiet = (
            time.monotonic() - since > SEND_QUIET and time.time() - fire.ready > NOTIFIER_DELAY + SEND_QUIET
        )
        if now >= firing or quiet:
            return
        time.sleep(0.05)


def _posted(fire: Fire, sink: Sink) -> dict[frozenset[tuple[str, str]], PostedAlert]:
    found: dict[frozenset[tuple[str, str]], PostedAlert] = {}
    number = 0
    while True:
        alerts = sink.posted(f"{fire.name}-{number}")
        if not alerts and number:
            return found
        found.update((frozenset(alert.labels.items()), alert) for alert in alerts)
        number += 1


def match(
    fire: Fire, states: Mapping[Rule, RuleState], sink: Sink, external: Mapping[str, str]
) -> dict[Rule, list[PostedAlert | None]]:
    """What was sent for each firing alert: found by labels, or where relabelling changed them, by expression.

    Among several alerts of one expression the one that shares most labels and annotations is taken.
    """
    posted = _posted(fire, sink)
    free = dict(posted)
    result: dict[Rule, list[PostedAlert | None]] = {}
    relabelled: list[tuple[Rule, int, Mapping[str, Any]]] = []
    for rule, state in states.items():
        result[rule] = []
        for alert in state.alerts:
            if alert["state"] != "firing":
                continue
            exact = posted.get(frozenset({**external, **alert["labels"]}.items()))
            if exact is None:
                relabelled.append((rule, len(result[rule]), alert))
            else:
                free.pop(frozenset(exact.labels.items()), None)
            result[rule].append(exact)
    by_query: dict[str, list[PostedAlert]] = {}
    for one in free.values():
        by_query.setdefault(parse_qs(urlsplit(one.generator_url).query).get("g0.expr", [""])[0], []).append(
            one
        )
    for rule, place, alert in relabelled:
        candidates = by_query.get(states[rule].query)
        if candidates:
            best = max(candidates, key=lambda one: _likeness(one, alert))
            candidates.remove(best)
            result[rule][place] = best
    return result


def _likeness(posted: PostedAlert, alert: Mapping[str, Any]) -> tuple[int, int]:
    labels = posted.labels.items() & alert["labels"].items()
    return len(labels), len(posted.annotations.items() & alert["annotations"].items())
