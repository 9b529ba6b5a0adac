"""Why was (or wasn't) somebody notified: the chain from the firing alert to the vendor's answer."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_sre.model.observation import AlertObservation, FiredAlert
from pytest_sre.model.routing import Routing
from pytest_sre.report.routes import explain_routes


def chain(routing: Routing | None, alert: AlertObservation, fired: FiredAlert) -> tuple[str, ...]:
    """The steps of one fired alert, a line each, for the report."""
    lines = [f"fired     {label_text(fired.labels)}"]
    if fired.sent_labels is None:
        return (*lines, "relabel   dropped by alert_relabel_configs, or never sent by Prometheus")
    if dict(fired.sent_labels) != dict(fired.labels):
        lines.append(f"relabel   {_changes(fired.labels, fired.sent_labels)}")
    if routing is not None:
        lines += [f"route     {line}" for line in explain_routes(routing.root, fired.sent_labels).lines()]
    lines.append(f"routed    to {', '.join(fired.receivers) or 'no receiver'}")
    if fired.inhibited_by:
        lines.append(f"inhibited by {', '.join(fired.inhibited_by)}")
    if fired.silenced_by:
        lines.append(f"silenced  by {', '.join(fired.silenced_by)}")
    for notification in alert.notifications:
        lines.append(
            f"sent      {notification.integration} → {notification.destination}: {notification.status}"
        )
    lines += [f"not sent  {error}" for error in alert.send_errors]
    return tuple(lines)


def label_text(labels: Mapping[str, str]) -> str:
    """A label set as Prometheus prints it."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    added = [f'+{name}="{value}"' for name, value in sorted(after.items()) if before.get(name) != value]
    removed = [f"-{name}" for name in sorted(before) if name not in after]
    return ", ".join(added + removed)
