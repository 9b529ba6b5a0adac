"""Notifications that don't say which alert they are about.

Slack in Alertmanager 0.33 sends a message of which a template failed all the same, logs nothing, and leaves empty the
text that failed with all that it renders after it, our mark included (notify/slack/slack.go looks at no error of its
templates). What is known is the integration: as many such messages as it still owes are those.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from pytest_sre.model.observation import Notification
from pytest_sre.model.routing import Integration

KIND = "slack"
WHY = "a template failed: Alertmanager sent the message without the text that failed and those after it, and logged nothing"


def claimed(
    received: Sequence[Notification], missing: Collection[tuple[str, Integration]]
) -> list[Notification]:
    """``received``, of which those without an alert are about the groups (fingerprints, joined by |) that lack one."""
    found = list(received)
    for integration in {one for _, one in missing if one.kind == KIND}:
        owed = sorted(prints for prints, one in missing if one == integration)
        at = [i for i, one in enumerate(found) if one.integration == integration and not one.fingerprint]
        if len(at) < len(owed):
            continue  # some are still to come
        for i, prints in zip(at, owed, strict=False):
            found[i] = replace(found[i], fingerprint=prints.partition("|")[0], unnamed=True)
    return found
