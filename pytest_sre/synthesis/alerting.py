"""When an alert fires on a result, and which alerts these are."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Labels
from pytest_sre.synthesis.element import Element, Vector
from pytest_sre.synthesis.vectors import EXACT


def firing(element: Element) -> bool:
    """Whether an alert surely fires on an element: on the brink Prometheus' last digit may decide otherwise."""
    brink = EXACT < element.gone < EXACT + 1e-4  # what holds exactly (==) is safe
    return not element.off and not element.bad and not brink and math.isfinite(element.value)


def fires(vector: Vector, rule: Rule) -> bool:
    """Whether a result is one that an alert would fire on."""
    return any(map(firing, vector)) and not alike(vector, rule)


def alike(vector: Vector, rule: Rule) -> int:
    """How many elements of a result are too many: with the rule's own labels they are the same alert, which is an error.

    Labels that templates make are not known: they may tell alerts apart.
    """
    if len(vector) < 2 or any("{{" in text for text in rule.labels.values()):
        return 0
    there = [alert_labels(element, rule) for element in vector if not element.off]
    return len(there) - len(set(there))


def alert_labels(element: Element, rule: Rule) -> Labels:
    """The labels of the alert that an element makes."""
    labels = {**element.labels, **rule.labels, "alertname": rule.name}
    labels.pop("__name__", None)
    return tuple(sorted((key, value) for key, value in labels.items() if value))


def expected(rule: Rule, vector: Iterable[Element]) -> tuple[Labels, ...]:
    """The label sets of the alerts that fire; none where a template decides about a label."""
    if any("{{" in value for value in rule.labels.values()):
        return ()
    return tuple(dict.fromkeys(alert_labels(element, rule) for element in vector if firing(element)))
