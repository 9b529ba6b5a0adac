"""Notifications that don't say which alert they are about.

Slack in Alertmanager 0.33 sends a message of which a template failed all the same, logs nothing, and leaves empty the
text that failed with all that it renders after it, our mark included (notify/slack/slack.go looks at no error of its
templates). What is known is the integration: as many such messages as it still owes are those.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from pytest_sre.model.observation import Notification
from pytest_sre.model.routing import Integration
from pytest_sre.stack.alertmanager import Group

# The fingerprints of a group, joined by |, and who is to get a message about it.
Owed: TypeAlias = tuple[str, Integration]

KIND = "slack"
WHY = "a template failed: Alertmanager sent the message without the text that failed and those after it, and logged nothing"


def shared_with(
    groups: Sequence[Group], by_receiver: Mapping[str, Sequence[Integration]], mine: Collection[str]
) -> set[Integration]:
    """Integrations that may also get a message about other alerts than ``mine`` (fingerprints)."""
    return {
        integration
        for group in groups
        if not all(one in mine for one in group.alerts)
        for integration in by_receiver.get(group.receiver, ())
    }


def owed(expected: Collection[Owed], received: Sequence[Notification]) -> set[Owed]:
    """Those of ``expected`` of which no message names an alert."""
    got = {(one.fingerprint, one.integration) for one in received}
    return {(prints, to) for prints, to in expected if not any((one, to) in got for one in prints.split("|"))}


def claimed(
    received: Sequence[Notification], missing: Collection[Owed], shared: Collection[Integration] = ()
) -> list[Notification]:
    """``received``, of which those without an alert are about the groups that lack one.

    Not where the integration is ``shared`` with groups that count only in a later wave: it may be about one of them.
    """
    found = list(received)
    for integration in {one for _, one in missing if one.kind == KIND and one not in shared}:
        wanted = sorted(prints for prints, one in missing if one == integration)
        at = [i for i, one in enumerate(found) if one.integration == integration and not one.fingerprint]
        if len(at) < len(wanted):
            continue  # some are still to come
        for i, prints in zip(at, wanted, strict=False):
            found[i] = replace(found[i], fingerprint=prints.partition("|")[0], unnamed=True)
    return found


def doubtful(
    received: Sequence[Notification], missing: Collection[Owed], shared: Collection[Integration]
) -> set[Owed]:
    """Those of ``missing`` that a message without an alert may be about, or not: they must go again."""
    nameless = {one.integration for one in received if one.integration.kind == KIND and not one.fingerprint}
    return {(prints, to) for prints, to in missing if to in shared and to in nameless}
