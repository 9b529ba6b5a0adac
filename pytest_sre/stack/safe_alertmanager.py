"""The safe copy of Alertmanager's configuration: routes and receivers stay, all ways lead to the sink.

What isn't known is refused, secrets are replaced before anything is written, and every change is listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from pytest_sre.errors import FileError
from pytest_sre.model.interval import DEFINED, USED
from pytest_sre.model.observation import Change
from pytest_sre.model.routing import Integration, Routing
from pytest_sre.sources.yamlfile import Map, Plain, line_of
from pytest_sre.stack.dummies import (
    GLOBAL,
    KINDS,
    DummyFiles,
    Kind,
    dummy,
    dummy_file_content,
    dummy_url,
    without_userinfo,
    words,
)
from pytest_sre.stack.marker import MARKED, TEMPLATE, WRAPPED
from pytest_sre.stack.safe_http import safe_http_config

MARK_HEADER = "X-Pytest-Sre"
GROUP_WAIT, GROUP_INTERVAL = "100ms", "1s"
# Every integration has a http_config of its own in the copy. Should one fall back to the global one after
# all, it finds a proxy that doesn't answer.
DEAD_END = "http://127.0.0.1:1"
_TOP = words("global inhibit_rules mute_time_intervals receivers route templates time_intervals")
_DROPPED = {"tracing": "traces", "event_recorder": "events"}
# What Alertmanager refuses must stay as it is, else the copy would hide the user's mistake.
_DURATION = re.compile(r"0|(?=\d)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?")
_FALSE = Plain("false")


@dataclass(frozen=True, slots=True)
class SafeCopy:
    """A configuration that reaches nothing but the sink, and what in it differs from the user's."""

    document: Map
    changes: tuple[Change, ...]


def safe_copy(
    routing: Routing,
    proxy_url: Callable[[Integration], str],
    hello: Callable[[Integration, str], str],
    smarthost: str,
    folder: Path,
    group_wait: str = GROUP_WAIT,
) -> SafeCopy:
    """Copy a configuration so that it can only reach the sink; dummy secret files go to ``folder``.

    ``proxy_url`` says which proxy an integration calls, ``hello`` (integration, the user's smarthost) how it
    greets ``smarthost``, the sink's SMTP address; ``group_wait`` holds for all routes. Raises UserError for what cannot be proven safe.
    """
    copier = _Copier(routing, proxy_url, hello, smarthost, DummyFiles(folder), group_wait)
    return SafeCopy(copier.copy(), tuple(copier.changes))


@dataclass
class _Copier:
    routing: Routing
    proxy_url: Callable[[Integration], str]
    hello: Callable[[Integration, str], str]
    smarthost: str
    files: DummyFiles
    group_wait: str
    changes: list[Change] = field(default_factory=list)
    routes: int = 0

    def copy(self) -> Map:
        source = self.routing.document
        for key in source:
            if key not in _TOP and key not in _DROPPED:
                self.refuse(source, key, "the top level")
        copy: Map = without_userinfo(source)
        for key, what in _DROPPED.items():
            if copy.get(key) is not None:
                # The key stays, because a version that does not know it refuses the user's file.
                copy[key] = None
                self.note(key, f"emptied: {what} would be sent out")
        copy["global"] = self.globals(source.get("global"))
        self.templates(copy)
        names = [item for key in DEFINED for item in copy.get(key) or () if isinstance(item, Mapping)]
        self.route(copy["route"], "route", frozenset(str(item.get("name")) for item in names))
        self.note(
            "route",
            f"group_wait: {self.group_wait}, group_interval: {GROUP_INTERVAL} on all {self.routes} routes",
        )
        marked: list[str] = []
        for before, after in zip(source.get("receivers") or (), copy.get("receivers") or (), strict=True):
            self.receiver(before, after, marked)
        if marked:
            fields = ", ".join(sorted(set(marked)))
            self.note(
                "receivers", f"a mark that tells alerts apart, which the sink takes out again, in {fields}"
            )
        return copy

    def note(self, where: str, what: str) -> None:
        self.changes.append(Change(self.routing.path, where, what))

    def refuse(self, holder: object, key: str | int, where: str, wanted: str = "") -> NoReturn:
        what = "is unknown to pytest-sre and might open a connection of its own"
        remedy = "Correct it if it is misspelt, else update pytest-sre."
        if wanted:
            what, remedy = f"is not {wanted}", "Correct it."
        reason = f"`{key}` of {where} {what}, so nothing was started. {remedy}"
        place = self.routing.place(line_of(holder, key))
        raise FileError(place.path, place.line, reason)

    def globals(self, source: object) -> Map:
        if source is not None and not isinstance(source, Mapping):
            self.refuse(self.routing.document, "global", "the top level", "a mapping")
        copy: Map = without_userinfo(source) if source else Map()
        replaced = self.secrets(GLOBAL, "global", source or {}, copy, "global")
        if replaced:
            self.note("global", f"replaced by dummies: {', '.join(replaced)}")
        users = copy.get("smtp_smarthost")
        if users:
            copy["smtp_smarthost"] = self.smarthost if ":" in users else dummy(users)
            self.note("global.smtp_smarthost", "the local sink")
        for key in ("smtp_tls_config", "smtp_force_implicit_tls"):
            if copy.pop(key, None) is not None:
                self.note(f"global.{key}", "dropped: the sink speaks plain SMTP")
        copy["http_config"] = {"proxy_url": DEAD_END}
        self.note("global.http_config", "moved into each integration; here a proxy that doesn't answer")
        return copy

    def templates(self, copy: Map) -> None:
        templates = copy.get("templates")
        if isinstance(templates, list):
            base = Path(self.routing.base)
            absolute = [str(base / glob) if isinstance(glob, str) else glob for glob in templates]
            if absolute != list(templates):
                templates[:] = absolute
                self.note("templates", "relative globs made absolute")

    def route(self, route: Map, where: str, times: frozenset[str]) -> None:
        self.routes += 1
        for key, value in (("group_wait", self.group_wait), ("group_interval", GROUP_INTERVAL)):
            users = str(route.get(key) or value)
            if _DURATION.fullmatch(users) and (key == "group_wait" or re.search("[1-9]", users)):
                route[key] = value
        for key in USED if where != "route" else ():
            used = route.get(key)
            if isinstance(used, list) and used and times.issuperset(map(str, used)):
                del route[key]
                self.note(f"{where}.{key}", "removed, so that the result doesn't depend on the hour")
        for i, child in enumerate(route.get("routes") or ()):
            self.route(child, f"{where}.routes[{i}]", times)

    def receiver(self, source: Mapping[str, Any], copy: Map, marked: list[str]) -> None:
        where = f"receivers[{source['name']}]"
        for key, entries in source.items():
            kind = key.removesuffix("_configs")
            if key in ("name", "labels"):
                continue
            if kind == key or kind not in KINDS:
                self.refuse(source, key, where)
            for i, entry in enumerate(entries or ()):
                integration = Integration(str(source["name"]), kind, i)
                self.integration(integration, f"{where}.{key}[{i}]", entry, copy[key][i])
                marked += self.mark(kind, copy[key][i])

    def integration(self, integration: Integration, where: str, source: Mapping[str, Any], copy: Map) -> None:
        kind = KINDS[integration.kind]
        replaced = self.secrets(kind, integration.kind, source, copy, where)
        if integration.kind == "email":
            self.email(integration, where, copy)
        else:
            replaced += self.http(integration, where, source, copy)
        if integration.kind == "sns":
            self.sns(where, copy)
        if replaced:
            self.note(where, f"replaced by dummies: {', '.join(replaced)}")

    def secrets(self, kind: Kind, name: str, source: Mapping[str, Any], copy: Map, where: str) -> list[str]:
        """Replace what is secret in ``copy``; the names of the fields. Refuses unknown keys."""
        replaced = []
        for key, value in source.items():
            secret = key.removesuffix("_file")
            if key != secret and (
                secret in kind.secrets or secret in kind.secret_urls or key == "chat_id_file"
            ):
                copy[key] = self.files.write(dummy_file_content(name, key)) if value else value
            elif key in kind.secrets:
                copy[key] = dummy(value) if value else value
            elif key in kind.secret_urls or key in kind.urls:
                copy[key] = dummy_url(value, keep_path=key in kind.urls) if value else value
            elif key not in kind.keys:
                self.refuse(source, key, where)
            elif isinstance(value, Mapping):
                copy[key] = without_userinfo(value, named=True)
            if copy[key] != value and key not in ("http_config", "sigv4"):
                replaced.append(key)
        return replaced

    def http(self, integration: Integration, where: str, source: Mapping[str, Any], copy: Map) -> list[str]:
        glob = self.routing.document.get("global") or {}
        own = source.get("http_config") is not None
        holder = source if own else glob
        config = holder.get("http_config")
        if config is None:
            config = Map()
        if not isinstance(config, Mapping):
            self.refuse(holder, "http_config", where if own else "global", "a mapping")
        if not own and integration.kind in ("incidentio", "webex"):
            # Alertmanager looks for these two's authorization in their own http_config only.
            config = {key: value for key, value in config.items() if key != "authorization"}
        copy["http_config"], replaced = safe_http_config(
            config,
            self.proxy_url(integration),
            self.files,
            lambda mapping, key: self.refuse(mapping, key, where),
        )
        origin = ", the rest as in global.http_config" if config and not own else ""
        self.note(
            f"{where}.http_config", f"proxy_url is the local sink, whose certificate is not checked{origin}"
        )
        return [f"http_config.{name}" for name in replaced]

    def email(self, integration: Integration, where: str, copy: Map) -> None:
        glob = self.routing.document.get("global") or {}
        users = copy.get("smarthost") or glob.get("smtp_smarthost") or ""
        headers = copy.get("headers")
        if headers is not None and not isinstance(headers, Mapping):
            self.refuse(copy, "headers", where, "a mapping")
        kept = {key: value for key, value in (headers or {}).items() if key.lower() != MARK_HEADER.lower()}
        copy["headers"] = {**kept, MARK_HEADER: TEMPLATE}
        if users:
            # One without a port stays one, so that Alertmanager can refuse it.
            copy["smarthost"] = self.smarthost if ":" in users else dummy(users)
        copy["hello"] = self.hello(integration, str(users))
        copy["require_tls"] = _FALSE
        for key in ("tls_config", "force_implicit_tls"):
            copy.pop(key, None)
        self.note(where, f"smarthost and hello are the local sink's, without TLS; header {MARK_HEADER} added")

    def sns(self, where: str, copy: Map) -> None:
        users = copy.get("sigv4")
        region = users.get("region") if isinstance(users, Mapping) else None
        # A profile would execute its credential_process, a role ask STS past the proxy.
        copy["sigv4"] = {
            "region": region or "us-east-1",
            "access_key": "AKIA" + "X" * 16,
            "secret_key": "x" * 40,
        }
        self.note(f"{where}.sigv4", "dummy keys, no profile and no role")
        if copy.pop("use_aws_http_client", None) is not None:
            self.note(f"{where}.use_aws_http_client", "dropped: that client doesn't use the proxy")

    def mark(self, name: str, copy: Map) -> list[str]:
        kind = KINDS[name]
        if name == "webhook" and isinstance(copy.get("payload"), Mapping):
            copy["payload"][MARKED] = TEMPLATE
            return ["webhook payload"]
        if name == "webhook" and isinstance(copy.get("payload"), str):
            # One template for all of it: Alertmanager reads what it renders as YAML, in a mapping's value too.
            copy["payload"] = {MARKED: TEMPLATE, WRAPPED: copy["payload"]}
            return ["webhook payload"]
        if not kind.mark:
            return []
        if name == "slack" and copy.get("message_text") and isinstance(copy["message_text"], str):
            copy["message_text"] += TEMPLATE  # it is rendered last: without the mark, a template failed
        holder, key = copy, kind.mark
        if isinstance(holder.get(key), Mapping):
            # Jira's fields can be written as {template: …, enable_update: …}.
            holder, key = holder[key], "template"
        value = holder.get(key)
        if value is not None and not isinstance(value, str):
            return []
        holder[key] = TEMPLATE + (kind.default if value is None else value)
        return [f"{name} {kind.mark}"]
