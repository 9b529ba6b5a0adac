"""v1alpha1 and v1beta1 of `AlertmanagerConfig`, and what each of them has."""

from __future__ import annotations

import pytest
from amconfigs import config

from pytest_sre.sources.amconfig_merge import Refused, with_objects
from pytest_sre.sources.yamlfile import Map

HOOK = "  - name: r\n    webhookConfigs: [{url: https://x.example}]\n"
NIGHTS = """  timeIntervals:
  - name: nights
    timeIntervals: [{times: [{startTime: "22:00", endTime: "24:00"}]}]
"""


def read(text: str) -> tuple[Map, list[Refused]]:
    routing, refused = with_objects(None, [("o.yml", text)])
    return (routing.document if routing else Map()), refused


def test_v1beta1_calls_its_intervals_otherwise() -> None:
    route = "receiver: r\n    activeTimeIntervals: [nights]"
    document, refused = read(config("t", "shop", HOOK, route, NIGHTS, "v1beta1"))

    assert not refused
    assert document["route"]["routes"][0]["active_time_intervals"] == ["shop/t/nights"]
    (interval,) = document["mute_time_intervals"]
    assert interval["time_intervals"] == [{"times": [{"start_time": "22:00", "end_time": "24:00"}]}]


@pytest.mark.parametrize(
    ("route", "more", "version", "line", "what"),
    [
        ("receiver: r", NIGHTS, "v1alpha1", 10, "`timeIntervals` of spec is not a field of v1alpha1"),
        (
            "receiver: r",
            "  muteTimeIntervals: []\n",
            "v1beta1",
            10,
            "v1beta1, which calls it `timeIntervals`",
        ),
        (
            "receiver: r\n    matchers: [{name: a, value: b, regex: true}]",
            "",
            "v1beta1",
            7,
            "`regex` of a matcher is a field of v1alpha1",
        ),
    ],
)
def test_a_field_of_the_other_version_is_told(
    route: str, more: str, version: str, line: int, what: str
) -> None:
    _, (one,) = read(config("t", "shop", HOOK, route, more, version))

    assert (one.path, one.line, one.broken) == ("o.yml", line, True)
    assert what in one.reason


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
def test_what_is_empty_or_zero_is_not_written_as_the_operator_does_not_write_it(version: str) -> None:
    slack = "  - name: r\n    slackConfigs: [{channel: '#a', title: '', shortFields: false}]\n"
    route = "receiver: r\n    groupInterval: 0s\n    repeatInterval: 10m"
    document, refused = read(config("t", "shop", slack, route, version=version))

    assert not refused
    assert document["receivers"][1]["slack_configs"] == [{"channel": "#a", "short_fields": "false"}]
    assert "group_interval" not in document["route"]["routes"][0]
    assert document["route"]["routes"][0]["repeat_interval"] == "10m"


def test_mail_that_is_threaded_and_has_no_html() -> None:
    mail = "  - name: r\n    emailConfigs: [{to: a@b.example, html: '', threading: {threadByDate: Daily}}]\n"
    document, refused = read(config("t", "shop", mail, version="v1beta1"))

    assert not refused
    assert document["receivers"][1]["email_configs"] == [
        {"to": "a@b.example", "html": "", "threading": {"enabled": "true", "thread_by_date": "daily"}}
    ]
