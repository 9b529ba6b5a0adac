"""How alerts are labelled on virtual time."""

from __future__ import annotations

from pytest_sre.model.rules import Rule
from pytest_sre.model.timeline import Activity
from pytest_sre.settings import Settings
from pytest_sre.sources.discover import Inventory
from pytest_sre.stack.backend import Stack
from pytest_sre.timemachine.states import Labeller, alert_labels
from pytest_sre.timemachine.task import LabellerOf


def labeller(stack: Stack, inventory: Inventory, settings: Settings) -> LabellerOf:
    """Labels as the rules have them."""

    def of(rule: Rule, activity: Activity) -> Labeller:
        return alert_labels(rule)

    return of
