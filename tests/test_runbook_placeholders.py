"""What a runbook leaves open: which labels are meant, and what is filled in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.promql.parse import parse
from pytest_sre.sources.runbook_placeholders import fill, label_of, placeholders
from pytest_sre.sources.runbook_queries import error_of, parses

LABELS = {"alertname": "Down", "instance": "10.0.0.1:9100", "job": "node", "job_name": 'a"b\\c'}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("<instance>", "instance"),
        ("<Instance>", "instance"),
        ("<instance name>", "instance"),
        ("$INSTANCE", "instance"),
        ("${INSTANCE}", "instance"),
        ("${INSTANCE:-x}", "instance"),
        ("${instance:regex}", "instance"),
        ("$JOBNAME", "job_name"),
        ("<job-name>", "job_name"),
        ("{{ $labels.instance }}", "instance"),
        ("{{$labels.instance}}", "instance"),
        ("{{ .Labels.instance }}", "instance"),
        ("{{ .CommonLabels.job | title }}", "job"),
        ("$labels.job", "job"),
        ("{{ $labels.Instance }}", None),
        ("{{ $labels.pod }}", None),
        ("<pod>", None),
        ("$1", None),
        ("a << b", None),
        ("a < b and c > d", None),
    ],
)
def test_the_label_that_is_meant(text: str, label: str | None) -> None:
    assert next((label_of(one, LABELS) for one in placeholders(text)), None) == label


@pytest.mark.parametrize(
    ("query", "filled"),
    [
        ('up{instance="<instance>"}', 'up{instance="10.0.0.1:9100"}'),
        ("up{instance=$INSTANCE}", 'up{instance="10.0.0.1:9100"}'),
        ('up{instance="<address of the target>"}', 'up{instance="10.0.0.1:9100"}'),
        ('up{job="{{ $labels.job_name }}"}', 'up{job="a\\"b\\\\c"}'),
        ("rate(x[$__rate_interval])", "rate(x[5m])"),
        ("rate(x[ <range> ])", "rate(x[ 5m ])"),
        ("max_over_time(up[1h:$step])", "max_over_time(up[1h:5m])"),
        ("x / ${__range_s}", "x / 300"),
        ("up offset <time>", "up offset 5m"),
        ("sum by (<label>) (up)", "sum by (PLACEHOLDER) (up)"),
        ('label_replace(up, "a", "$1", "b", "(.*)")', 'label_replace(up, "a", "$1", "b", "(.*)")'),
    ],
)
def test_what_is_filled_in(query: str, filled: str) -> None:
    assert fill(query, LABELS) == filled
    parse(filled)


@pytest.mark.parametrize("query", ["topk(<number>, up)", "up > <threshold>", "rate(<metric>[<range>])"])
def test_what_is_left_open_may_be_whatever_makes_a_query_right(query: str) -> None:
    assert parses(query)


def test_no_placeholder_excuses_what_is_wrong_elsewhere() -> None:
    assert "unclosed left parenthesis" in error_of("sum(up > <threshold>")


@given(
    st.text("<>${}[]()=\"'` \n:abc_.-|&%\\" + "instance"), st.dictionaries(st.text(), st.text(), max_size=3)
)
def test_any_text_is_filled_and_keeps_its_lines(text: str, labels: dict[str, str]) -> None:
    list(placeholders(text))
    assert fill(text, labels).count("\n") == text.count("\n")
    error_of(text)
