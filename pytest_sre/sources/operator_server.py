"""What an `Alertmanager` object of prometheus-operator says of the `AlertmanagerConfig` objects that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_sre.errors import FileError
from pytest_sre.sources.operator_objects import Object, as_mapping

_NAME_LABEL = "kubernetes.io/metadata.name"
_STRATEGIES = ("OnNamespace", "OnNamespaceExceptForAlertmanagerNamespace", "None")


@dataclass(frozen=True, slots=True)
class Server:
    """The Alertmanager that takes the objects; without one in the repository it takes all, each for its own namespace.

    ``whole`` names the object of its namespace that is the configuration itself, ``document`` is the Alertmanager's own.
    """

    name: str = ""
    namespace: str = ""
    strategy: str = "OnNamespace"
    selector: Mapping[str, Any] | None = None
    namespaces: Mapping[str, Any] | None = None
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
        """What it says of the objects that it takes."""
        return self.strategy, self.selector, self.namespaces, self.whole, self.globals

    @property
    def globals(self) -> Mapping[str, Any]:
        """`global` of what it says of the object that is the configuration itself."""
        spec = self.document.spec if self.document else {}
        return as_mapping(as_mapping(spec.get("alertmanagerConfiguration")).get("global"))

    def passes_over(self, one: Object) -> str:
        """Why this Alertmanager does not take an object; empty when it does, or when only the cluster knows."""
        if not self.name:
            return ""
        who = f"so Alertmanager {self.namespace}/{self.name} does not take this AlertmanagerConfig"
        if self.selector is None:
            return f"`alertmanagerConfigSelector` is not set, {who}"
        labels, namespace = as_mapping(one.metadata.get("labels")), str(one.metadata.get("namespace") or "")
        wanted = as_mapping(self.selector.get("matchLabels"))
        missing = [f"{key}={value}" for key, value in wanted.items() if labels.get(key) != value]
        if missing:
            return f"`alertmanagerConfigSelector` asks for {', '.join(missing)}, {who}"
        if self.namespaces is None and self.namespace and namespace not in ("", self.namespace):
            return f"`alertmanagerConfigNamespaceSelector` is not set, {who}"
        named = as_mapping((self.namespaces or {}).get("matchLabels")).get(_NAME_LABEL, namespace)
        if namespace and named != namespace:
            return f"`alertmanagerConfigNamespaceSelector` asks for the namespace {named}, {who}"
        return ""


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


def _server(one: Object) -> Server:
    strategy = as_mapping(one.spec.get("alertmanagerConfigMatcherStrategy")).get("type") or "OnNamespace"
    if strategy not in _STRATEGIES:
        raise FileError(
            one.path,
            one.line,
            f"alertmanagerConfigMatcherStrategy {strategy!r} is none of {', '.join(_STRATEGIES)}. Correct it.",
        )
    selectors = [
        one.spec.get(key) for key in ("alertmanagerConfigSelector", "alertmanagerConfigNamespaceSelector")
    ]
    selector, namespaces = (value if isinstance(value, Mapping) else None for value in selectors)
    name, namespace = (str(one.metadata.get(key) or "") for key in ("name", "namespace"))
    whole = as_mapping(one.spec.get("alertmanagerConfiguration")).get("name") or ""
    return Server(name, namespace, str(strategy), selector, namespaces, str(whole), one)
