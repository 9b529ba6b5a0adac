"""Series by hand, as promtool's unit tests write them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.model.samples import RESET_HINTS, Buckets, Histogram, Value, is_stale
from pytest_sre.sources import histograms, notation, yamlfile
from pytest_sre.sources.expansion import expand
from pytest_sre.stack.process import ProcessStack


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("up", {"__name__": "up"}),
        ('up{job="api"}', {"__name__": "up", "job": "api"}),
        (' a:b { x = "1", y="2", } ', {"__name__": "a:b", "x": "1", "y": "2"}),
        (r'm{p="C:\\d", q="say \"hi\"\n"}', {"__name__": "m", "p": r"C:\d", "q": 'say "hi"\n'}),
        (r'm{p="\\n"}', {"__name__": "m", "p": r"\n"}),
        ('{__name__="up", job="}"}', {"__name__": "up", "job": "}"}),
        ("up{}", {"__name__": "up"}),
        (
            'up{a=\'x"y\', b=`\\d`, # why\n c="\\u2603\\xe2\\x98\\x83\\101"}',
            {"__name__": "up", "a": 'x"y', "b": "\\d", "c": "☃☃A"},
        ),
        ('{"http.requests", "a.b"="c"}', {"__name__": "http.requests", "a.b": "c"}),
    ],
)
def test_series(text: str, labels: dict[str, str]) -> None:
    assert dict(notation.parse_series(text)) == labels
    assert list(notation.parse_series(text)) == sorted(labels.items())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not a series"),
        ("{}", "is not a series"),
        ("up{job}", "expected label="),
        ('up{job="a" instance="b"}', "expected , or }"),
        ('up{job="a"', "expected , or }"),
        ('up{job="a",job="b"}', "label job twice"),
        ('up{__name__="a"}', "metric name twice"),
        (r'up{job="\d"}', "unknown escape sequence"),
        (r'up{job="\xff"}', "not UTF-8"),
        (r'up{job="\ud800"}', "no character"),
        ('up{job="a"} 1', "is not a series"),
        ('up{job=~"api"}', "expected label="),
        ('{job="api"}', "no metric name"),
        ("1up", "is not a series"),
    ],
)
def test_what_is_no_series(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        notation.parse_series(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("5", (5.0,)),
        ("1 2.5 -3 1e3", (1.0, 2.5, -3.0, 1000.0)),
        ("0+10x3", (0.0, 10.0, 20.0, 30.0)),
        ("10-2.5x2", (10.0, 7.5, 5.0)),
        ("-1+1x1", (-1.0, 0.0)),
        ("1x3", (1.0, 1.0, 1.0, 1.0)),
        ("5 _ 7", (5.0, None, 7.0)),
        ("_x3 1", (None, None, None, 1.0)),
        ("Inf -inf", (float("inf"), float("-inf"))),
    ],
)
def test_values(text: str, values: tuple[float | None, ...]) -> None:
    assert notation.parse_values(text) == values


@pytest.mark.parametrize(
    "text", ["", "_", "five", "1x", "1+x5", "1,2", "0+10x9999999", "infx3", "1-2", "1 x5"]
)
def test_what_are_no_values(text: str) -> None:
    with pytest.raises(ValueError, match=r"promtool's notation|no values|more than a million"):
        notation.parse_values(text)


@pytest.mark.parametrize("text", ["1 stale", "{{count:1}}"])
def test_what_the_live_run_cannot_take(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be given here"):
        notation.parse_values(text)


def test_stale_markers_and_gaps() -> None:
    first, gap, *more = expand("1 _ stale _x2 stale")
    assert (first, gap) == (1.0, None)
    assert [value is not None and is_stale(value) for value in more] == [True, False, False, True]
    assert expand("_x0") == ()
    assert expand("2x0") == (2.0,)


FULL = (
    "{{schema:1 sum:-0.3 count:3.1 z_bucket:7.1 z_bucket_w:0.05 buckets:[5.1 10 7] offset:-3 "
    "n_buckets:[4.1 5] n_offset:-5 counter_reset_hint:gauge}}"
)


def test_a_histogram() -> None:
    (one,) = expand(FULL)
    assert one == Histogram(
        schema=1,
        count=3.1,
        sum=-0.3,
        zero_threshold=0.05,
        zero_count=7.1,
        positive=Buckets(-3, (5.1, 10.0, 7.0)),
        negative=Buckets(-5, (4.1, 5.0)),
        hint="gauge",
    )
    assert expand("{{}}") == (Histogram(),)
    assert expand("{{schema:-53 custom_values:[1 2.5] buckets:[1 2 3]}}") == (
        Histogram(-53, custom_values=(1.0, 2.5), positive=Buckets(0, (1.0, 2.0, 3.0))),
    )


def test_runs_of_histograms() -> None:
    assert expand("{{count:2}}x2 1") == (*[Histogram(count=2.0)] * 3, 1.0)
    rising = expand("{{count:1 sum:2 buckets:[1]}}+{{schema:1 count:3 sum:1 buckets:[1 2] offset:3}}x2")
    assert rising == tuple(
        Histogram(count=1.0 + 3 * i, sum=2.0 + i, positive=Buckets(0, (1.0, *more)))
        for i, more in enumerate([(), (0.0, 3.0), (0.0, 6.0)])
    )
    assert expand("{{count:5}}-{{count:2}}x1")[1] == Histogram(count=3.0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{{size:3}}", "'size:3' is none of schema"),
        ("{{count:}}", "'count:' is none of"),
        ("{{buckets:[]}}", "is none of"),
        ("{{buckets:[a]}}", "is none of"),
        ("{{schema:9}}", "schema must be between -4 and 8"),
        ("{{count:1 count:2}}", "count is set twice"),
        ("{{count:1", "not a value"),
        ("{{schema:2}}+{{schema:1}}x1", "schema 2 and 1 cannot be combined"),
        ("{{z_bucket_w:1}}+{{}}x1", "different z_bucket_w"),
        ("{{custom_values:[1]}}+{{}}x1", "different custom_values"),
        ("{{buckets:[1]}}+{{offset:99999 buckets:[1]}}x1", "too far apart"),
    ],
)
def test_what_is_no_histogram(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        expand(text)


NUMBERS = st.floats(allow_nan=False, width=32)
SIDES = st.builds(
    lambda offset, counts: Buckets(offset if counts else 0, tuple(counts)),
    st.integers(-50, 50),
    st.lists(NUMBERS, max_size=5),
)


@given(
    st.builds(
        Histogram,
        schema=st.integers(-4, 8),
        count=NUMBERS,
        sum=NUMBERS,
        zero_threshold=st.floats(0, 1),
        zero_count=NUMBERS,
        positive=SIDES,
        negative=SIDES,
        custom_values=st.lists(NUMBERS, max_size=3).map(tuple),
        hint=st.sampled_from(RESET_HINTS),
    )
)
def test_a_histogram_written_is_read_back(value: Histogram) -> None:
    assert histograms.parse(histograms.write(value)) == value


LABELS = st.dictionaries(st.text(min_size=1), st.text(min_size=1), min_size=1)


@given(LABELS)
def test_a_series_written_is_read_back(labels: dict[str, str]) -> None:
    wanted = tuple(sorted(labels.items()))
    assert notation.parse_metric(notation.write_series(wanted)) == wanted


FLOATS = (
    "5 -3 +2 1e3 1.5e-3 010 08 .5 5. 0.1+0.1x9 1-0.3x5 1e1+1e-1x3 _ _x2 7x2 stale 00 -0 Inf -inf NaN 3x0 1",
    "0.1+0.2x30",
    "1e-7-1e-8x9 1e15+0.1x5",
)
HISTOGRAMS = (
    FULL,
    "{{}} {{count:1}} _ 5 {{count:2 sum:1 buckets:[2]}}x2",
    "{{count:1 sum:2 buckets:[1]}}+{{schema:1 count:3 sum:0.1 buckets:[1 2] offset:3}}x4",
    "{{count:9 buckets:[4 5] n_buckets:[9 8 7] n_offset:-1}}-{{schema:1 count:0.5 n_buckets:[1 1 1] n_offset:-2}}x3",
    "{{z_bucket:1 z_bucket_w:0.5 counter_reset_hint:not_reset}}+{{z_bucket:2 z_bucket_w:0.5}}x2",
)


def seen_by_promtool(stack: ProcessStack, folder: Path, written: tuple[str, ...]) -> list[list[Value | None]]:
    """What a real promtool makes of texts: for each its values, None where there is none."""
    file = folder / "t.yml"
    series = [{"series": f"m{i}", "values": text} for i, text in enumerate(written)]
    minutes = [range(len(expand(text)) + 1) for text in written]
    cases = [
        {"expr": f"last_over_time(m{i}[59s])", "eval_time": f"{at}m", "exp_samples": [{"labels": "never"}]}
        for i, times in enumerate(minutes)
        for at in times
    ]
    tests = [{"interval": "1m", "input_series": series, "promql_expr_test": cases}]
    file.write_text(yamlfile.dump({"rule_files": [], "tests": tests})[0])
    told = stack.promtool(["test", "rules", str(file)], [file]).stderr
    seen = re.findall(r'expr: "last_over_time\(m(\d+).*time: .*\n.*\n +got: (?:nil|\{.*?\} (.*))', told)
    assert [int(i) for i, _ in seen] == [i for i, times in enumerate(minutes) for _ in times], told
    return [[parsed(text) for at, text in seen if int(at) == i] for i in range(len(written))]


def parsed(text: str) -> Value | None:
    if not text:
        return None
    text = re.sub(r" ?counter_reset_hint:\w+", "", text)  # the storage's own
    return histograms.parse(text) if text.startswith("{{") else float(text)


def shown(value: Value | None) -> object:
    """A value as promtool shows it: without outer empty buckets and hints."""
    if value is None or (isinstance(value, float) and is_stale(value)):
        return None
    if isinstance(value, Histogram):
        sides = [trimmed(side) for side in (value.positive, value.negative)]
        return replace(value, hint="unknown", positive=sides[0], negative=sides[1])
    return repr(float(value))


def trimmed(side: Buckets) -> Buckets:
    full = [i for i, count in enumerate(side.counts) if count]
    return Buckets(side.offset + full[0], side.counts[full[0] : full[-1] + 1]) if full else Buckets()


def test_values_are_those_of_the_real_promtool(stack: ProcessStack, tmp_path: Path) -> None:
    version = stack.versions["prometheus"]
    known = () if version.startswith("2.42") else HISTOGRAMS
    hints = not version.startswith("2.")
    written = (*FLOATS, *(text for text in known if hints or "hint" not in text))
    for text, values in zip(written, seen_by_promtool(stack, tmp_path, written), strict=True):
        assert [shown(value) for value in values] == [*(shown(value) for value in expand(text)), None]


@pytest.mark.parametrize(
    "text", ["infx3", "1-2", "1 x5", "__", "1x1e1", "5a", "0x", "1_", "STALE", "stalex2"]
)
def test_what_promtool_refuses_too(stack: ProcessStack, tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="is not a value"):
        expand(text)
    file = tmp_path / "t.yml"
    tests = [{"interval": "1m", "input_series": [{"series": "m", "values": text}]}]
    file.write_text(yamlfile.dump({"rule_files": [], "tests": tests})[0])
    assert stack.promtool(["test", "rules", str(file)], [file]).returncode == 1


def test_the_last_value_is_now_and_a_gauge_keeps_it() -> None:
    laid = notation.samples((1.0, 3.0, 2.0), 60, ahead=30)
    assert laid == ((-120, 1.0), (-60, 3.0), (0, 2.0), (15.0, 2.0), (30.0, 2.0))


def test_a_rise_goes_on_as_steep_as_it_was() -> None:
    assert notation.samples((0.0, 60.0), 60, ahead=30)[2:] == ((15.0, 75.0), (30.0, 90.0))
    assert notation.samples((0.0, None, 120.0), 60, ahead=30)[2:] == ((15.0, 135.0), (30.0, 150.0))


def test_a_series_that_ended_stays_ended() -> None:
    assert notation.samples((1.0, None), 60) == ((-60, 1.0),)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.sampled_from([1.0, 15.0, 60.0, 300.0]))
def test_samples_are_in_order_and_keep_their_values(values: list[float], interval: float) -> None:
    laid = notation.samples(tuple(values), interval)
    assert [value for when, value in laid if when <= 0] == values
    times = [when for when, _ in laid]
    assert times == sorted(set(times))
    assert 525 <= times[-1] <= 540
