"""Label selectors of Kubernetes: `matchLabels` and `matchExpressions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_sre.sources.yamlfile import line_of

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_KEYS = ("matchLabels", "matchExpressions")


class Unreadable(ValueError):
    """What of a selector Kubernetes refuses: ``line`` of its file, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a selector asks of a label."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def met(self, labels: Mapping[str, Any]) -> bool:
        """Whether labels have what is asked for."""
        if self.operator in ("Exists", "DoesNotExist"):
            return (self.key in labels) == (self.operator == "Exists")
        # As in Kubernetes, NotIn also selects what does not have the label.
        return (str(labels.get(self.key)) in self.values and self.key in labels) == (self.operator == "In")

    def __str__(self) -> str:
        if self.operator in ("Exists", "DoesNotExist"):
            return self.key if self.operator == "Exists" else f"!{self.key}"
        if self.operator == "In" and len(self.values) == 1:
            return f"{self.key}={self.values[0]}"
        return f"{self.key} {self.operator.lower()} ({', '.join(self.values)})"


def requirements(selector: Mapping[str, Any], where: str) -> tuple[Requirement, ...]:
    """All that a selector asks for; ``where`` names it in errors. Raises Unreadable."""
    for key in selector:
        if key not in _KEYS:
            raise Unreadable(
                line_of(selector, key), f"`{key}` of {where} is none of {', '.join(_KEYS)}. Correct it."
            )
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not isinstance(labels, Mapping):
        what = f"`matchLabels` of {where} is not a mapping. Write `label: value`."
        raise Unreadable(line_of(selector, "matchLabels"), what)
    if not isinstance(expressions, list):
        what = f"`matchExpressions` of {where} is not a list. Put a `-` in front of each entry."
        raise Unreadable(line_of(selector, "matchExpressions"), what)
    asked = [Requirement(key, "In", (str(value),)) for key, value in labels.items()]
    asked += [_requirement(one, line_of(expressions, i), where) for i, one in enumerate(expressions)]
    return tuple(asked)


def _requirement(source: Any, line: int, where: str) -> Requirement:
    """An entry of `matchExpressions`."""
    key, operator, values = (
        (source.get("key"), source.get("operator"), source.get("values") or [])
        if isinstance(source, Mapping)
        else (None, None, [])
    )
    if not isinstance(key, str) or not key:
        raise Unreadable(line, f"an entry of `matchExpressions` of {where} has no `key`. Add it.")
    if operator not in _OPERATORS:
        what = f"the operator {operator!r} of {where} is none of {', '.join(_OPERATORS)}. Correct it."
        raise Unreadable(line, what)
    if not isinstance(values, list) or bool(values) != (operator in ("In", "NotIn")):
        what = f"`values` of {where}: {operator} takes {'some' if operator in ('In', 'NotIn') else 'none'}. Correct it."
        raise Unreadable(line, what)
    return Requirement(key, operator, tuple(map(str, values)))
