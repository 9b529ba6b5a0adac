"""What an `Alertmanager` object of prometheus-operator says of the `AlertmanagerConfig` objects that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_sre.errors import FileError
from pytest_sre.sources.operator_objects import Object, as_mapping
from pytest_sre.sources.operator_selectors import Requirement, Unreadable, requirements
from pytest_sre.sources.yamlfile import line_of

_SELECTOR, _NAMESPACES = "alertmanagerConfigSelector", "alertmanagerConfigNamespaceSelector"
_NAME_LABEL = "kubernetes.io/metadata.name"
_EXCEPT = "OnNamespaceExceptForAlertmanagerNamespace"
_STRATEGIES = ("OnNamespace", _EXCEPT, "None")


@dataclass(frozen=True, slots=True)
class Server:
    """The Alertmanager that takes the objects; without one in the repository it takes all, each for its own namespace.

    ``whole`` names the object of its namespace that is the configuration itself, ``document`` is the Alertmanager's own.
    """

    name: str = ""
    namespace: str = ""
    strategy: str = "OnNamespace"
    selector: tuple[Requirement, ...] | None = None
    namespaces: tuple[Requirement, ...] | None = None
    whole: str = ""
    document: Object | None = None

    def guards(self, namespace: str) -> bool:
        """Whether objects of a namespace only get the alerts of that namespace."""
        if self.strategy == "None":
            return False
        return self.strategy == "OnNamespace" or namespace != self.namespace

    def is_whole(self, one: Object) -> bool:
        """Whether an object is the configuration itself, for all namespaces."""
        place = (one.metadata.get("namespace"), one.metadata.get("name"))
        return bool(self.whole) and place == (self.namespace, self.whole)

    @property
    def asked(self) -> tuple[object, ...]:
        """What it says of the objects that it takes, with its own namespace where that decides."""
        own = self.selector is not None and (self.namespaces is None or self.strategy == _EXCEPT)
        namespace = self.namespace if own or self.whole else None
        return self.strategy, self.selector, self.namespaces, self.whole, self.configuration, namespace

    @property
    def configuration(self) -> Mapping[str, Any]:
        """What it says of the object that is the configuration itself: its `alertmanagerConfiguration`."""
        spec = self.document.spec if self.document else {}
        return as_mapping(spec.get("alertmanagerConfiguration"))

    def passes_over(self, one: Object, namespaces: Mapping[str, Mapping[str, Any]]) -> str:
        """Why this Alertmanager does not take an object; empty when it does, or when only the cluster knows.

        ``namespaces`` are the labels of those that the repository describes, by name.
        """
        if not self.name:
            return ""
        who = f"so Alertmanager {self.namespace}/{self.name} does not take this AlertmanagerConfig"
        if self.selector is None:
            return f"`{_SELECTOR}` is not set, {who}"
        namespace = str(one.metadata.get("namespace") or "")
        missing = [str(ask) for ask in self.selector if not ask.met(as_mapping(one.metadata.get("labels")))]
        if missing:
            return f"`{_SELECTOR}` asks for {', '.join(missing)}, {who}"
        if self.namespaces is None:
            elsewhere = self.namespace and namespace not in ("", self.namespace)
            return f"`{_NAMESPACES}` is not set, {who}" if elsewhere else ""
        labels = {**namespaces.get(namespace, {}), _NAME_LABEL: namespace}
        known = [ask for ask in self.namespaces if namespace in namespaces or ask.key == _NAME_LABEL]
        missing = [str(ask) for ask in known if namespace and not ask.met(labels)]
        return f"`{_NAMESPACES}` asks for {', '.join(missing)}, {who}" if missing else ""


def the_server(found: Sequence[Object]) -> Server:
    """The one Alertmanager of a repository, or what is assumed without; raises FileError."""
    servers = [_server(one) for one in found]
    for one, server in zip(found, servers, strict=True):
        if server.asked != servers[0].asked:
            raise FileError(
                one.path,
                one.line,
                f"the Alertmanagers {servers[0].namespace}/{servers[0].name} and {server.namespace}/{server.name} take "
                "different AlertmanagerConfig objects. Put each with its objects into one of the `scopes:`.",
            )
    return servers[0] if servers else Server()


def any_server(found: Sequence[Object]) -> Server:
    """An Alertmanager of a repository without objects: one that names the object it needs, if any; raises FileError."""
    servers = [_server(one) for one in found]
    return next((one for one in servers if one.whole), servers[0])


def _server(one: Object) -> Server:
    strategy = as_mapping(one.spec.get("alertmanagerConfigMatcherStrategy")).get("type") or "OnNamespace"
    if strategy not in _STRATEGIES:
        raise FileError(
            one.path,
            one.line,
            f"alertmanagerConfigMatcherStrategy {strategy!r} is none of {', '.join(_STRATEGIES)}. Correct it.",
        )
    configuration = as_mapping(one.spec.get("alertmanagerConfiguration"))
    if configuration and not configuration.get("name"):
        what = "alertmanagerConfiguration names no AlertmanagerConfig. Add `name: …`, or remove it."
        raise FileError(one.path, line_of(one.spec, "alertmanagerConfiguration"), what)
    name, namespace = (str(one.metadata.get(key) or "") for key in ("name", "namespace"))
    whole, selectors = (
        str(configuration.get("name") or ""),
        (_asked(one, _SELECTOR), _asked(one, _NAMESPACES)),
    )
    return Server(name, namespace, str(strategy), *selectors, whole, one)


def _asked(one: Object, key: str) -> tuple[Requirement, ...] | None:
    """What a selector of an Alertmanager asks for, None where there is no such selector; raises FileError."""
    value = one.spec.get(key)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise FileError(one.path, line_of(one.spec, key), f"`{key}` is not a mapping. Correct it.")
    try:
        return requirements(value, key)
    except Unreadable as error:
        raise FileError(one.path, error.line, str(error)) from None
