"""An Alertmanager that stays open and says at which routes alerts end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_sre.live.page import Office, open_office
from pytest_sre.live.routed import ask, open_numbered
from pytest_sre.model.routing import Routing
from pytest_sre.model.routingtest import AlertKey, alert_key
from pytest_sre.settings import Settings
from pytest_sre.stack import backends
from pytest_sre.stack.backend import Server, Stack
from pytest_sre.stack.folder import run_folder
from pytest_sre.stack.route_copy import route_copy


@dataclass(frozen=True, slots=True, eq=False)
class Router:
    """Its answers are kept: of equal label sets one is asked."""

    stack: Stack
    server: Server
    client: Any
    known: dict[AlertKey, tuple[int, ...]] = field(default_factory=dict)
    _last: list[AlertKey] = field(default_factory=list)

    def ends(self, label_sets: Sequence[Mapping[str, str]]) -> list[tuple[int, ...]]:
        """For each label set the routes at which it ends: their numbers in preorder. Raises Refused and StackError."""
        keys = [alert_key(labels) for labels in label_sets]
        new = [key for key in dict.fromkeys(keys) if key not in self.known]
        if new:
            self.stack.check(self.server)
            found = ask(self.client, self.server, new, self._last)
            self.known.update((key, found[key]) for key in new)
            self._last[:] = new
        return [self.known[key] for key in keys]


@contextlib.contextmanager
def open_router(settings: Settings, routing: Routing, tell: Callable[[str], None]) -> Iterator[Router]:
    """An Alertmanager on a copy of the routes, where one runs with the whole configuration.

    Raises NotLoaded, UserError (unsafe) and StackError.
    """
    servers = settings.file.servers
    with (
        run_folder(keep=False) as folder,
        backends.open_stack(servers, folder, keep=False, tell=tell) as stack,
    ):
        office = Office(stack, servers.alertmanager, routing, folder, keep=False)
        wave, _ = open_office(office, "whole")
        stack.stop(wave.server)
        server = open_numbered(office, route_copy(routing.document["route"]), "routes")
        with stack.session() as client:
            yield Router(stack, server, client)
