"""The repository's `AlertmanagerConfig` objects join its Alertmanager configuration, as prometheus-operator joins them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from pytest_sre.errors import FileError
from pytest_sre.model.routing import FILE_LINES, Held, Route, Routing
from pytest_sre.sources.alertmanager import understood
from pytest_sre.sources.amconfig import Parts, convert
from pytest_sre.sources.amconfig_base import Template, templates_of, the_base
from pytest_sre.sources.amconfig_fields import Unmapped, empty, extend, like, mapping, put
from pytest_sre.sources.operator_objects import CONFIG, SERVER, Object, looks_like_objects, objects, shifted
from pytest_sre.sources.operator_server import Server, any_server, the_server
from pytest_sre.sources.operator_support import Support
from pytest_sre.sources.yamlfile import List, Map, YamlError, line_of

NOBODY = "null"


class Refused(NamedTuple):
    """An object that is no part of the configuration: where it is, and why. ``broken``: it is wrong itself."""

    path: str
    line: int
    reason: str
    broken: bool = True


def with_objects(
    base: Routing | None, files: Iterable[tuple[str, str]], folder: str = "/"
) -> tuple[Routing | None, list[Refused]]:
    """The configuration with the objects of ``files`` (path, text) in it, and those that could not be taken.

    ``folder`` is where files of templates are looked for, if the objects alone are the configuration.
    Without objects the configuration stays what it is; objects without one join the operator's own default.
    """
    found: list[Object] = []
    refused: list[Refused] = []
    given = list(files)
    for path, text in given:
        try:
            found += objects(path, text) if looks_like_objects(text) else []
        except YamlError as error:
            refused.append(Refused(path, error.line, f"not valid YAML: {error}"))
    configs = [one for one in found if one.document["kind"] == CONFIG]
    servers = [one for one in found if one.document["kind"] == SERVER]
    if not found:
        return base, refused
    try:
        server = the_server(servers) if configs else any_server(servers)
    except FileError as error:
        refused.append(Refused(error.path, error.line, error.reason))
        server = Server()
    merger = _Merger(base, server, refused, Support(given), folder)
    return merger.merge(configs), refused


@dataclass
class _Merger:
    base: Routing | None
    server: Server
    refused: list[Refused]
    support: Support
    folder: str
    namespaces: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)

    def merge(self, configs: Sequence[Object]) -> Routing | None:
        whole = next((one for one in configs if self.server.is_whole(one)), None)
        if whole is None and self.server.whole and self.server.document:
            missing = f"{self.server.namespace}/{self.server.whole}"
            what = f"alertmanagerConfiguration names AlertmanagerConfig {missing}, which is not in this repository. Add it."
            self.refused.append(Refused(self.server.document.path, self.server.document.line, what))
        if self.server.namespaces:
            self.namespaces = self.support.namespaces()
        try:
            document = self.whole(whole) if whole else None
        except Unmapped as error:
            self.refuse(error.line, str(error))
            return None
        if document is None and self.base:
            self.index(self.base.path)
        taken = [parts for one in configs if one is not whole and (parts := self.parts(one)) is not None]
        if document is None and not taken:
            return self.base
        return self.understood(_joined(document or self.start(), self.unique(taken)))

    def start(self) -> Any:
        return self.base.document if self.base else _default()

    def index(self, path: str) -> int:
        """A file's number: its lines are beyond those of the files before."""
        if path not in self.paths:
            self.paths.append(path)
        return self.paths.index(path)

    def whole(self, one: Object) -> Map:
        """The configuration that one object is."""
        by = self.index(one.path) * FILE_LINES
        given = self.server.document
        assert given is not None
        said = shifted(self.server.configuration, self.index(given.path) * FILE_LINES)
        document = the_base(shifted(one.document, by), said)
        for file in templates_of(said):
            self.hold(file)
        return document

    def hold(self, file: Template) -> None:
        """Keep a file of templates where the repository has its text; raises Unmapped where it has several."""
        found = self.support.texts(file.kind, self.server.namespace, file.name, file.key)
        if len(found) > 1:
            first, second = (one.place(1) for one in found[:2])
            what = f"{file.kind} {file.name} has different texts of {file.key}, at {first} and at {second}"
            raise Unmapped(file.line, f"{what}. Put them into different `scopes:`, or delete one.")
        if found:
            self.held[file.path] = found[0]

    def understood(self, document: Map) -> Routing | None:
        """The routing tree of the merged document, each route at its own file."""
        base = self.base.base if self.base and self.base.path in self.paths else self.folder
        try:
            routing = understood(self.paths[0], base, document)
        except FileError as error:
            self.refuse(error.line, error.reason)
            return self.base
        routing = replace(routing, others=tuple(self.paths[1:]), held=self.held, operator=True)
        return replace(routing, root=_placed(routing.root, routing))

    def parts(self, one: Object) -> Parts | None:
        """What an object adds, None where it is refused; lines are those of the merged document."""
        if reason := self.server.passes_over(one, self.namespaces):
            self.refused.append(Refused(one.path, one.line, reason, broken=False))
            return None
        try:
            parts = convert(shifted(one.document, self.index(one.path) * FILE_LINES), self.server.guards)
            understood(one.path, "/", _joined(_default(), [parts]))
        except Unmapped as error:
            self.refuse(error.line, str(error))
        except FileError as error:
            self.refuse(error.line, error.reason)
        else:
            return parts
        return None

    def unique(self, parts: Iterable[Parts]) -> list[Parts]:
        """The parts in the operator's order; of two objects with one name the second is refused."""
        known: dict[tuple[str, str], Parts] = {}
        for one in parts:
            first = known.setdefault((one.namespace, one.name), one)
            if first is not one:
                file, line = divmod(first.line, FILE_LINES)
                self.refuse(
                    one.line,
                    f"AlertmanagerConfig {one.namespace}/{one.name} is there already, at {self.paths[file]}:{line}. "
                    "Delete one of them, or put what different Alertmanagers load into different `scopes:`.",
                )
        return sorted(known.values(), key=lambda one: f"{one.namespace}/{one.name}")

    def refuse(self, line: int, reason: str) -> None:
        file, own = divmod(line, FILE_LINES)
        self.refused.append(Refused(self.paths[file], max(own, 1), reason))


def _default() -> Map:
    """The operator's own configuration where nobody gives one: all alerts go to a receiver that sends nothing."""
    receiver, route, receivers, out = mapping(0), mapping(0), empty(0), mapping(0)
    put(receiver, "name", NOBODY, 0)
    put(route, "receiver", NOBODY, 0)
    receivers.append(receiver)
    receivers.lines.append(0)
    put(out, "route", route, 0)
    put(out, "receivers", receivers, 0)
    return out


def _joined(base: Any, parts: Sequence[Parts]) -> Map:
    """A copy of a configuration's document with the objects' parts in it; their routes come first."""
    out = like(base, base)
    routes = empty(line_of(base, "route"))
    for one in parts:
        if one.route is not None:
            routes.append(one.route)
            routes.lines.append(one.line)
    route = like(base["route"], base["route"])
    _grow(route, "routes", [routes], first=True)
    put(out, "route", route, line_of(base, "route"))
    _grow(out, "receivers", [one.receivers for one in parts])
    _grow(out, "inhibit_rules", [one.inhibit_rules for one in parts])
    _grow(out, "mute_time_intervals", [one.intervals for one in parts])
    return out


def _grow(holder: Map, key: str, more: Iterable[List], *, first: bool = False) -> None:
    """Add items to a list of the mapping, behind those that are there, or in front of them."""
    added, own = empty(line_of(holder, key)), holder.get(key)
    for each in more:
        extend(added, each)
    if not added or not isinstance(own, (List, type(None))):
        return
    both = empty(added.line)
    for part in (added, own or empty(0)) if first else (own or empty(0), added):
        extend(both, part)
    put(holder, key, both, added.line)


def _placed(route: Route, routing: Routing) -> Route:
    """The same tree with each route at its own file."""
    children = tuple(_placed(child, routing) for child in route.routes)
    return replace(route, location=routing.place(route.location.line), routes=children)
