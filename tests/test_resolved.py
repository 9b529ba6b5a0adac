"""Who is told that an alert is over, by the real Alertmanager of every version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from servers import Pair
from shop import edit, run
from test_safe_alertmanager import ENTRIES, accepted_kind

from pytest_sre.live import page
from pytest_sre.live.page import Delivery, Office, open_office
from pytest_sre.model.finding import Location
from pytest_sre.model.observation import Notification
from pytest_sre.model.routing import Integration
from pytest_sre.model.rules import Rule
from pytest_sre.settings import AlertmanagerServer
from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.process import ProcessStack
from pytest_sre.stack.resolved import closes, says
from pytest_sre.stack.sink import PostedAlert

TRANSITIONS = ", resolve_transition: Done, reopen_transition: Reopen}"
# As config/notifiers.go has them; all other kinds send resolved notifications.
SILENT_BY_DEFAULT = {"email", "rocketchat", "slack", "wechat"}


def delivered(stack: Stack, folder: Path, text: str, *alerts: Mapping[str, str]) -> dict[str, Delivery]:
    """What becomes of each label set, by alertname, each judged apart."""
    routing = parse_routing("am.yml", str(folder), text)
    office = Office(stack, AlertmanagerServer(), routing, folder, keep=False)
    wave, _ = open_office(office, "one")
    place = Location("r.yml", 1)
    given = {
        Rule("alert", labels["alertname"], "up", place, 1, "g", i): [PostedAlert(labels, {}, "", "", "", 0)]
        for i, labels in enumerate(alerts)
    }
    return {
        rule.name: found for rule, found in page.deliver(office, wave, given, lambda done, of: None).items()
    }


def kinds(notifications: tuple[Notification, ...]) -> set[str]:
    return {one.integration.kind for one in notifications}


def entry(name: str) -> str:
    return ENTRIES[name].removesuffix("}") + TRANSITIONS if name == "jira" else ENTRIES[name]


def told_by(name: str, extra: str) -> str:
    """An entry of a kind with ``send_resolved`` as given."""
    return f"  {name}_configs: [{entry(name).replace(', send_resolved: yes', '').removesuffix('}')}{extra}}}]"


@pytest.mark.parametrize("extra", ["", ", send_resolved: true", ", send_resolved: no"])
def test_every_kind_is_told_if_it_sends_resolved_notifications(
    pair: Pair, stack: ProcessStack, tmp_path: Path, extra: str
) -> None:
    known = sorted(name for name in ENTRIES if accepted_kind(pair, name, tmp_path))
    lines = "\n".join(told_by(name, extra) for name in known)
    text = f"route: {{receiver: a}}\nreceivers:\n- name: a\n{lines}\n"
    found = delivered(stack, tmp_path, text, {"alertname": "A"})["A"]
    wanted = set(known) if "true" in extra else set(known) - SILENT_BY_DEFAULT if not extra else set()
    assert kinds(found.notifications) == set(known)
    assert kinds(found.resolved) == wanted
    assert (found.errors, found.unresolved) == ((), ())
    assert {says(one) for one in found.resolved} <= {"resolved", ""}
    assert not [one for one in found.notifications if says(one) == "resolved"]
    assert {one.fingerprint for one in found.resolved} <= {one["fingerprint"] for one in found.alerts}


def test_what_fails_only_when_it_is_over_is_told_with_alertmanager_s_words(
    stack: ProcessStack, tmp_path: Path
) -> None:
    text = (
        "route: {receiver: a, group_by: [team]}\nreceivers:\n- name: a\n"
        "  pagerduty_configs: [{routing_key: k, description: '{{ (index .Alerts.Firing 0).Labels.alertname }}'}]\n"
        "  webhook_configs: [{url: 'https://h/a'}]\n"
    )
    one, two = {"alertname": "A", "team": "x"}, {"alertname": "B", "team": "y"}
    found = delivered(stack, tmp_path, text, one, two)
    for name in "AB":
        assert kinds(found[name].notifications) == {"pagerduty", "webhook"}
        assert kinds(found[name].resolved) == {"webhook"}
        (missing,) = found[name].unresolved
        assert missing.integration == Integration("a", "pagerduty", 0)
        assert "index out of range" in missing.why


def test_who_never_heard_of_it_is_not_told_that_it_is_over(stack: ProcessStack, tmp_path: Path) -> None:
    text = (
        "route: {receiver: a}\nreceivers:\n- name: a\n"
        "  pagerduty_configs: [{routing_key: k, description: '{{ index .Alerts 7 }}'}]\n"
        "  webhook_configs: [{url: 'https://h/a'}]\n"
        "inhibit_rules: [{source_matchers: [alertname=A], target_matchers: [alertname=B]},"
        " {source_matchers: [alertname=C], target_matchers: [alertname=C, x=y], equal: [alertname]}]\n"
    )
    found = delivered(stack, tmp_path, text, {"alertname": "A"}, {"alertname": "B"})
    assert [kinds(found[name].resolved) for name in "AB"] == [{"webhook"}, {"webhook"}]
    assert not found["A"].unresolved
    assert found["A"].errors


@pytest.mark.parametrize(
    ("kind", "destination", "payload", "said"),
    [
        ("webhook", "https://h/", {"status": "resolved"}, "resolved"),
        ("webhook", "https://h/", {"text": "own payload"}, ""),
        ("pagerduty", "https://h/", {"event_action": "resolve"}, "resolved"),
        ("pagerduty", "https://h/", {"event_type": "trigger"}, "firing"),
        ("victorops", "https://h/", {"message_type": "RECOVERY"}, "resolved"),
        ("victorops", "https://h/", {"message_type": "CRITICAL"}, "firing"),
        ("opsgenie", "https://h/v2/alerts/ab%2Fc/close?identifierType=…", {"source": ""}, "resolved"),
        ("opsgenie", "https://h/v2/alerts", {"alias": "a"}, "firing"),
        ("slack", "https://h/", "ok", ""),
    ],
)
def test_what_a_payload_says(kind: str, destination: str, payload: object, said: str) -> None:
    one = Notification(Integration("a", kind, 0), destination, 0, 200, {}, payload)
    assert says(one) == said
    assert closes(one) == ("ab/c" if "close" in destination else "")


GONE = 'if eq .Status "resolved" }}{{ .CommonLabels.nothing }}<no value>{{ end'
FAST = "rules/checkout.yml::CheckoutErrorBudgetBurnFast::pages"
SLOW = "rules/checkout.yml::CheckoutErrorBudgetBurnSlow::pages"


def test_the_shop_that_never_closes_a_page_and_breaks_when_it_is_over(repo: Path, pair: Pair) -> None:
    key = "      - routing_key: 00000000000000000000000000c4ec07"
    edit(repo / "alertmanager.yml", key, "      - send_resolved: false\n" + key.replace("-", " ", 1))
    title = "title_link: '{{ (index .Alerts 0).Annotations.runbook_url }}'"
    edit(repo / "alertmanager.yml", title, f"{title}\n        pretext: '{{{{ {GONE} }}}}'")
    result = run(repo, pair, "-k", "CheckoutErrorBudgetBurn and pages")

    assert result.outcomes == {FAST: "PASSED", SLOW: "FAILED"}
    assert "so the incident stays open" in result.output
    assert (
        "the resolved text that slack-tickets/slack[0] gets for CheckoutErrorBudgetBurnSlow did not render"
        in result.message(SLOW)
    )
    alerts = {alert["alert"]: alert for alert in result.seen["alerts"]}
    fast, slow = alerts["CheckoutErrorBudgetBurnFast"], alerts["CheckoutErrorBudgetBurnSlow"]
    assert [one["receiver"] for one in fast["resolved"]] == ["audit-log"]
    assert [one["receiver"] for one in slow["resolved"]] == ["audit-log", "slack-tickets"]
    assert fast["unresolved"] == slow["unresolved"] == []
