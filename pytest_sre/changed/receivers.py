"""What decides what a receiver sends: its configuration, the globals in force, and the templates that it reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_sre.changed.facts import Fact, Facts, Key, canonical
from pytest_sre.changed.templates import Unclear, reached, read_templates, references
from pytest_sre.model.routing import Routing

_SUFFIX = "_configs"
# Global keys begin with the kind that they are for. Others are taken to be for all, but for `resolve_timeout`, which
# never acts: Prometheus tells when its alerts end.
_PREFIXES = {"email": "smtp_"}
_KINDS = (
    "discord", "email", "incidentio", "jira", "mattermost", "msteams", "msteamsv2", "opsgenie", "pagerduty",
    "pushover", "rocketchat", "slack", "sns", "telegram", "victorops", "webex", "webhook", "wechat",
)  # fmt: skip


class Receivers:
    """The receivers of one configuration; raises nothing for what Alertmanager itself would refuse."""

    def __init__(self, routing: Routing) -> None:
        """Read the templates."""
        self._document = routing.document
        self._templates = read_templates(routing.document, Path(routing.base), routing.held)
        self._by_name = {str(one["name"]): one for one in routing.document.get("receivers") or ()}
        self._facts: dict[str, Facts] = {}

    def facts(self, name: str) -> Facts:
        """What makes a receiver's notifications."""
        if name not in self._facts:
            self._facts[name] = dict(self._read(name, self._by_name.get(name, {})))
        return self._facts[name]

    @property
    def template_facts(self) -> Facts:
        """All templates, whoever uses them."""
        return dict(self._texts(self._templates.definitions))

    def _read(self, name: str, receiver: Mapping[str, Any]) -> Iterator[tuple[Key, Fact]]:
        entries = list(_entries(receiver))
        settings = self._document.get("global")
        settings = settings if isinstance(settings, Mapping) else {}
        effective = [_effective(kind, entry, settings) for kind, entry in entries]
        content = {key: value for key, value in receiver.items() if key != "name" and value}
        yield Key("receiver", name), Fact(canonical([content, effective]), f"receiver {name}")
        if entries:
            yield from self._texts(self._reached(entries))

    def _reached(self, entries: list[tuple[str, Mapping[str, Any]]]) -> frozenset[str]:
        defined = self._templates.definitions
        try:
            names = {name for _, entry in entries for text in _strings(entry) for name in references(text)}
        except Unclear:
            return frozenset(defined)
        # A definition of a default's name takes the default's place; those with underscores are used by all kinds.
        names |= {name for name in defined if name.startswith("__")}
        names |= {name for name in defined for kind, entry in entries if _is_default(name, kind, entry)}
        return reached(names, defined)

    def _texts(self, names: Iterable[str]) -> Iterator[tuple[Key, Fact]]:
        for name in sorted(names):
            yield Key("template", name), Fact(self._templates.definitions[name].text, f"template {name}")
        for path, text in self._templates.unclear.items():
            yield Key("template", f"file {path}"), Fact(text, f"template file {path}")


def _entries(receiver: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, entries in receiver.items():
        if key.endswith(_SUFFIX) and isinstance(entries, list):
            yield from ((key.removesuffix(_SUFFIX), one) for one in entries if isinstance(one, Mapping))


def _effective(kind: str, entry: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The globals that an entry doesn't override."""
    prefix = _PREFIXES.get(kind, f"{kind}_")
    found = {}
    for key, value in settings.items():
        if key == "http_config":
            if kind != "email" and entry.get("http_config") is None:
                found[key] = value
        elif key.startswith(prefix):
            own = key.removeprefix(prefix).removesuffix("_file")
            if not entry.get(own) and not entry.get(f"{own}_file"):
                found[key] = value
        elif key != "resolve_timeout" and not key.startswith(_OWNED):
            found[key] = value
    return found


_OWNED = tuple(_PREFIXES.get(kind, f"{kind}_") for kind in _KINDS)


def _is_default(name: str, kind: str, entry: Mapping[str, Any]) -> bool:
    """Whether a definition replaces the default of a field that an entry leaves free."""
    prefix = f"{kind}.default."
    headers = entry.get("headers")
    given = {*entry, *(headers if kind == "email" and isinstance(headers, Mapping) else ())}
    plain = {key.replace("_", "").lower() for key in given}
    return name.startswith(prefix) and name.removeprefix(prefix).replace("_", "").lower() not in plain


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
