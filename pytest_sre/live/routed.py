"""Ask a real Alertmanager at which routes label sets end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pytest_sre.errors import Refused, StackError
from pytest_sre.live.page import NotLoaded, Office
from pytest_sre.model.routingtest import AlertKey, alert_key
from pytest_sre.stack import alertmanager
from pytest_sre.stack.backend import Server
from pytest_sre.stack.route_copy import route_copy, route_number, side_tree

Labels = Mapping[str, str]


def routed(office: Office, label_sets: Sequence[Labels], name: str = "routes") -> list[tuple[int, ...]]:
    """For each label set the routes at which it ends: their numbers, see `model.routing.preorder`.

    Label sets with only empty values are no alerts: they end nowhere. ``name`` tells several calls of a run apart.
    Raises NotLoaded, Refused (where one of them is no alert to this version: see `taken`) and StackError.
    """
    return _ask(office, route_copy(office.routing.document["route"]), label_sets, name)


def taken(office: Office, label_sets: Sequence[Labels]) -> list[Labels]:
    """Those label sets that this version takes: 0.25 knows no UTF-8 in names. Raises NotLoaded and StackError."""
    server = open_numbered(office, route_copy(office.routing.document["route"]), "taken")
    found = []
    try:
        with office.stack.session() as client:
            for labels in label_sets:
                with contextlib.suppress(Refused):
                    alertmanager.post(client, server, [_payload(labels)])
                    found.append(labels)
    finally:
        office.stack.stop(server)
    return found


def sides(office: Office, label_sets: Sequence[Labels], name: str = "sides") -> list[tuple[int, ...]]:
    """For each label set the sides of inhibit rules that it matches, numbered as in `stack.route_copy.side_tree`.

    Raises NotLoaded and StackError.
    """
    rules = office.routing.document.get("inhibit_rules") or ()
    if not rules:
        return [() for _ in label_sets]
    return _ask(office, route_copy(side_tree(rules)), label_sets, name)


def _ask(
    office: Office, document: Mapping[str, Any], label_sets: Sequence[Labels], name: str
) -> list[tuple[int, ...]]:
    wanted = dict.fromkeys(key for key in map(alert_key, label_sets) if key)
    if not wanted:
        return [() for _ in label_sets]
    server = open_numbered(office, document, name)
    try:
        with office.stack.session() as client:
            ends = ask(client, server, wanted)
    finally:
        office.stack.stop(server)
    return [ends.get(alert_key(labels), ()) for labels in label_sets]


def ask(
    client: Any, server: Server, wanted: Iterable[AlertKey], done: Iterable[AlertKey] = ()
) -> dict[AlertKey, tuple[int, ...]]:
    """Where alerts end, asked of a server of `open_numbered`; those that are ``done`` end, which keeps answers short.

    Raises Refused and StackError.
    """
    asked = [_payload(dict(key)) for key in wanted]
    alertmanager.post(client, server, [*asked, *(_payload(dict(key), -2) for key in done)])
    ends = {alert_key(one["labels"]): _ends(one) for one in alertmanager.alerts(client, server)}
    lost = next((one["labels"] for one in asked if alert_key(one["labels"]) not in ends), None)
    if lost is not None:
        raise StackError(f"Alertmanager lost the alert {lost}")
    return ends


def open_numbered(office: Office, document: Mapping[str, Any], name: str) -> Server:
    """An Alertmanager on a copy whose receivers have its routes' numbers; raises NotLoaded and StackError."""
    folder = office.folder / f"alertmanager-{name}"
    path, lines = alertmanager.write_config(document, folder)
    try:
        return alertmanager.start(office.stack, office.settings, path, (), f"alertmanager-{name}")
    except StackError as error:
        verdict = alertmanager.load_verdict(error, office.routing, path, lines)
        if verdict is None:
            raise
        raise NotLoaded(verdict) from None


def _payload(labels: Labels, lasts: float = 3600) -> dict[str, Any]:
    now = time.time()
    return {
        "labels": dict(labels),
        "startsAt": alertmanager.stamp(now - 10),
        "endsAt": alertmanager.stamp(now + lasts),
    }


def _ends(alert: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(sorted(route_number(receiver["name"]) for receiver in alert["receivers"]))
