"""Labels and annotations rendered by the real template engine of each version."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pytest_sre.errors import StackError
from pytest_sre.model.samples import Buckets, Histogram
from pytest_sre.model.scenario import Labels
from pytest_sre.stack.process import ProcessStack
from pytest_sre.stack.templates import Rendered, Request, render

UP: Labels = (("__name__", "up"), ("instance", "a:9"), ("job", "api"))
ODD = 'C:\\x "y"\nz\t☃\x07 {x}="y", \u2028$1 é'


def test_labels_and_annotations(stack: ProcessStack) -> None:
    request = Request(
        labels=(("severity", "page"), ("who", "{{ $labels.job }}-{{ $externalLabels.site }}"), ("job", "")),
        annotations=(
            ("summary", "{{ $labels.instance }} is at {{ $value | humanizePercentage }}\n"),
            ("all", "{{ $labels }}"),
            ("link", '{{ $externalURL }}/{{ "a b" | reReplaceAll " " "+" }}'),
            ("empty", "{{ $labels.none }}"),
        ),
        sample=UP,
        value=0.125,
        name="Down",
        external_labels=(("site", "berlin"),),
        external_url="http://prom.example/x",
    )
    (one,) = render(stack, [request])
    assert one == Rendered(
        {"alertname": "Down", "instance": "a:9", "severity": "page", "who": "api-berlin"},
        {
            "summary": "a:9 is at 12.5%\n",
            "all": "map[__name__:up instance:a:9 job:api]",
            "link": "http://prom.example/x/a+b",
            "empty": "",
        },
    )


def one(text: str, sample: Labels = UP, value: float | Histogram = 1.0, **more: object) -> Request:
    return replace(Request((), (("text", text),), sample, value, "A"), **more)  # type: ignore[arg-type]


def texts(stack: ProcessStack, *requests: Request) -> list[str]:
    return [found.annotations["text"] for found in render(stack, requests)]


VALUES = {
    math.nan: "NaN",
    math.inf: "+Inf",
    -math.inf: "-Inf",
    0.1 + 0.2: "0.30000000000000004",
    1e300: "1e+300",
    -1e-7: "-1e-07",
    123456789.0: "1.23456789e+08",
}


def test_values_arrive_exactly(stack: ProcessStack) -> None:
    asked = [(sample, value) for sample in (UP, UP[1:], ()) for value in VALUES]
    found = texts(stack, *(one("{{ $value }} {{ $labels }}", sample, value) for sample, value in asked))
    for (sample, value), text in zip(asked, found, strict=True):
        assert text == f"{VALUES[value]} map[{' '.join(f'{name}:{each}' for name, each in sample)}]"


def test_odd_texts_arrive_exactly(stack: ProcessStack) -> None:
    sample: Labels = (("__name__", "odd:name"), ("text", ODD))
    labels = (("copy", "{{ $labels.text }}"), ("odd", ODD))
    (found,) = render(stack, [Request(labels, (("a", ODD + "{{ 1 }}"), ("b", ODD)), sample, 1.0)])
    assert found == Rendered({"copy": ODD, "odd": ODD, "text": ODD}, {"a": ODD + "1", "b": ODD})


def test_thousands_at_once_in_their_order(stack: ProcessStack) -> None:
    calls: list[int] = []

    class Counting:
        folder = stack.folder

        def promtool(self, arguments, reads):  # type: ignore[no-untyped-def]
            calls.append(len(arguments) - 2)
            return stack.promtool(arguments, reads)

    asked = [one("{{ $value }}", value=float(i % 2500)) for i in range(5000)]
    found = render(Counting(), asked)  # type: ignore[arg-type]
    assert [float(each.annotations["text"]) for each in found] == [float(i % 2500) for i in range(5000)]
    assert calls == [2]


def test_what_has_no_template_needs_no_promtool() -> None:
    request = Request((("severity", "page"), ("job", "")), (("text", "100 %"), ("none", "")), UP, 1.0, "A")
    (found,) = render(None, [request])  # type: ignore[arg-type]
    assert found.labels == {"alertname": "A", "severity": "page", "instance": "a:9"}
    assert found.annotations == {"text": "100 %", "none": ""}


def test_without_templates_it_is_the_same_as_with(stack: ProcessStack) -> None:
    plain = Request((("severity", "page"), ("job", "")), (("text", ODD), ("none", "")), UP, 1.0, "A")
    (first,) = render(stack, [plain])
    (second,) = render(stack, [replace(plain, annotations=(*plain.annotations, ("more", "{{ 1 }}")))])
    assert second == Rendered(first.labels, {**first.annotations, "more": "1"})


def test_errors_of_templates_are_prometheus_own(stack: ProcessStack) -> None:
    fails, broken, good = render(
        stack, [one("{{ template `x` }}"), one("{{ nope }}"), one("{{ $value }}", external_url="http://x")]
    )
    assert fails.annotations["text"].startswith(
        "<error expanding template: error executing template __alert_A:"
    )
    assert broken == Rendered({}, {}, 'annotation "text": template: __alert_A:1: function "nope" not defined')
    assert good.annotations == {"text": "1"}


def test_one_broken_template_does_not_spoil_the_others(stack: ProcessStack) -> None:
    asked = [one("{{ nope }}" if i == 3 else "{{ $value }}", value=float(i)) for i in range(6)]
    found = render(stack, asked)
    assert [each.annotations.get("text") for each in found] == ["0", "1", "2", None, "4", "5"]
    assert "not defined" in found[3].error


def test_query_finds_the_sample_alone(stack: ProcessStack) -> None:
    query = '{{ range query "{__name__=~\'.+\'}" }}{{ . | label "instance" }}={{ . | value }};{{ end }}'
    asked = [
        one(query, value=1.0),
        one(query, value=2.0),
        one(query, UP[1:], 3.0),
        one("{{ $value }}", value=4.0),
    ]
    assert texts(stack, *asked) == ["a:9=1;", "a:9=2;", "a:9=3;", "4"]


def test_query_is_asked_at_the_time_of_evaluation(stack: ProcessStack) -> None:
    asked = [
        one('{{ with query "time()" }}{{ . | first | value | printf "%.0f" }}{{ end }}', at=at)
        for at in (0.0, 90.5, 1.7e9)
    ]
    assert texts(stack, *asked) == ["0", "90", "1700000000"]


def test_histograms(stack: ProcessStack) -> None:
    request = one("{{ $value }}", value=Histogram(count=2.0, sum=3.0, positive=Buckets(0, (2.0,))))
    if stack.versions["prometheus"].startswith("2.42"):
        with pytest.raises(StackError, match="did not render"):
            render(stack, [request])
    else:
        assert texts(stack, request) == ["{count:2, sum:3, (0.5,1]:2}"]


def test_utf8_names(stack: ProcessStack) -> None:
    sample: Labels = (("__name__", "http.requests $1"), ("a.b", "c"))
    request = one("{{ $labels }}", sample)
    if stack.versions["prometheus"].startswith("2."):
        with pytest.raises(StackError, match="did not render"):
            render(stack, [request])
    else:
        (found,) = render(stack, [request])
        assert found.labels == {"a.b": "c", "alertname": "A"}
        assert found.annotations == {"text": "map[__name__:http.requests $1 a.b:c]"}
