"""Incidents in the JSON report."""

from __future__ import annotations

from typing import Any

from pytest_sre.model.incident import IncidentObservation


def incident(name: str, seen: IncidentObservation) -> dict[str, Any]:
    """What was seen of one incident."""
    return {
        "name": name,
        "alerts": [
            {
                "name": one.name,
                "rule": one.origin,
                "labels": dict(one.labels),
                "fingerprint": one.fingerprint,
                "inhibited_by": list(one.inhibited_by),
                "silenced_by": list(one.silenced_by),
            }
            for one in seen.alerts
        ],
        "notifications": [
            {
                "receiver": one.receiver,
                "group": dict(one.labels),
                "fingerprints": list(one.alerts),
                "sent": [
                    {"integration": str(sent.integration), "texts": dict(sent.texts)} for sent in one.sent
                ],
                "unsent": list(map(str, one.unsent)),
            }
            for one in seen.notifications
        ],
        "errors": list(seen.errors),
        "unfired": dict(seen.unfired),
    }
