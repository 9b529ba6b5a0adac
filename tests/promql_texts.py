"""Random PromQL that a real Prometheus takes, over a handful of metrics and labels that often meet."""

from __future__ import annotations

from hypothesis import strategies as st

NUMBERS = st.sampled_from(["-1", "0", "0.5", "1", "2", "3", "5", "10", "100"])
MATCHERS = st.sampled_from([
    'j="a"', 'j="b"', 'j!="a"', 'j=~"a|b"', 'j!~"a|b"', 'j=~"[ab]"', 'j=~".+"', 'j!~".+"', 'j!~".*"', 'j=""',
    's="hit"', 's="miss"', 's=""', 's!=""', 's=~"hit|miss"', 's!~"hit.*"', 's=~"h.*"', 's!~"h.*|x"', 'i="1"', 'i!~"1|2"',
])  # fmt: skip
GAUGES = ["g", "f", "up", "flag", "a_avail_bytes", "a_size_bytes", "ALERTS"]
COUNTERS = ["x_total", "y_total"]
RECORDS = {"rec:ratio": "Share of hits.", "rec:down": "Filtered.", "rec:named": "With labels of its own."}
LABELS = st.lists(st.sampled_from(["j", "i", "s", "t"]), max_size=2, unique=True)
COMPARE = st.sampled_from([">", "<", ">=", "<=", "==", "!="])


@st.composite
def selectors(draw: st.DrawFn, names: list[str]) -> str:
    """A metric with up to three matchers."""
    matchers = draw(st.lists(MATCHERS, max_size=2) if draw(st.booleans()) else st.just([]))
    return (
        f"{draw(st.sampled_from(names))}{{{','.join(matchers)}}}"
        if matchers
        else draw(st.sampled_from(names))
    )


@st.composite
def plain(draw: st.DrawFn) -> str:
    """A selector, or a function of a counter's range."""
    kind = draw(st.integers(0, 6))
    if kind < 2:
        return draw(selectors(GAUGES)) + draw(st.sampled_from(["", "", "", " offset 5m"]))
    if kind == 2:
        return draw(selectors(list(RECORDS)))
    if kind == 3:
        function = draw(
            st.sampled_from(["rate", "increase", "irate", "changes", "resets", "count_over_time"])
        )
        return f"{function}({draw(selectors(COUNTERS))}[5m])"
    if kind == 4:
        function = draw(
            st.sampled_from(["max", "min", "avg", "sum", "last", "count", "present", "stddev", "absent"])
        )
        return f"{function}_over_time({draw(selectors(GAUGES))}[3m])"
    if kind == 5:
        buckets = f"rate({draw(selectors(['z_bucket']))}[5m])"
        by = draw(
            st.sampled_from(
                ["", "sum by (le) ", "sum by (j, le) ", "sum by (j) ", "sum without (s) ", "max "]
            )
        )
        return f"histogram_quantile({draw(st.sampled_from(['0.5', '0.99']))}, {by}({buckets}))"
    return draw(
        st.sampled_from(
            [
                "vector(1)",
                "hour()",
                "vector(time())",
                "absent(nothing)",
                'absent(g{j="a"})',
                "vector(scalar(g))",
                "time() - timestamp(g)",
            ]
        )
    )


@st.composite
def matchings(draw: st.DrawFn, arithmetic: bool) -> str:
    """How two vectors match; many-to-one only where operators allow it."""
    labels = ", ".join(draw(LABELS))
    kind = draw(st.sampled_from(["", "", "on", "ignoring"]))
    if not kind:
        return ""
    group = (
        draw(st.sampled_from(["", "group_left ()", "group_right ()", "group_left (t)"])) if arithmetic else ""
    )
    if group == "group_left (t)" and kind == "on" and "t" in labels:
        group = "group_left ()"
    return f"{kind} ({labels}) {group}"


@st.composite
def _part_of_whole(draw: st.DrawFn) -> str:
    """Ratios of a part by what may be its whole, by more or other labels."""

    def summed(text: str) -> str:
        by = draw(st.sampled_from(["", "by", "by", "without"]))
        return f"sum {by} ({', '.join(draw(LABELS))}) ({text})" if by else text

    names = draw(st.sampled_from([["x_total"], COUNTERS]))
    part = summed(f"rate({draw(selectors(names))}[5m])")
    whole = summed(f"rate({draw(selectors(names))}[5m])")
    pair = draw(
        st.sampled_from(
            [
                (part, whole),
                (part, whole),
                ("rec:hits", "rec:all"),
                ("sum(up)", "count(up)"),
                ("a_avail_bytes", "a_size_bytes"),
            ]
        )
    )
    return f"({pair[0]}) / {draw(matchings(True))} ({pair[1]}) {draw(COMPARE)} {draw(NUMBERS)}"


@st.composite
def _twice(draw: st.DrawFn, one: str) -> str:
    """The same part on both sides: conditions that may exclude or imply each other, parts of wholes."""

    def asked(text: str) -> str:
        scaled = draw(st.sampled_from([text, f"{text} * 2", f"-({text})", f"1 - ({text})", f"({text}) / 2"]))
        return f"({scaled}) {draw(COMPARE)} {draw(NUMBERS)}"

    kind = draw(st.integers(0, 5))
    if kind < 3:
        op = draw(st.sampled_from(["and", "and", "unless", "+", "> on (j)"]))
        matching = draw(matchings(False)) if "on" not in op.split() else ""
        return f"({asked(one)}) {op} {matching} ({asked(one)})"
    if kind == 3:
        other = draw(plain())
        ratio = f"({one}) / (({one}) + {draw(matchings(False))} ({other}))"
        return f"{ratio} {draw(COMPARE)} {draw(NUMBERS)}"
    if draw(st.booleans()):
        return draw(_part_of_whole())
    metric = draw(selectors(GAUGES))
    if kind == 4:
        return f"absent({metric}) {draw(st.sampled_from(['and', '*', '> bool']))} {draw(matchings(False))} ({one})"
    return f"({metric}) {draw(st.sampled_from(['>', '<']))} ({one}) and ({metric}) {draw(st.sampled_from(['<', '>', '==']))} ({one})"


def _wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    @st.composite
    def step(draw: st.DrawFn) -> str:
        one = draw(inner)
        kind = draw(st.integers(0, 14))
        if kind == 0:
            op = draw(st.sampled_from(["sum", "avg", "min", "max", "count", "group", "stddev"]))
            by = draw(st.sampled_from(["", "by", "by", "without"]))
            return f"{op} {by} ({', '.join(draw(LABELS))}) ({one})" if by else f"{op}({one})"
        if kind == 1:
            return draw(
                st.sampled_from([f"topk(1, {one})", f'count_values("t", {one})', f"quantile(0.5, {one})"])
            )
        if kind == 2:
            name = draw(
                st.sampled_from(
                    ["abs", "ceil", "floor", "round", "sgn", "sqrt", "-", "timestamp", "sort", "exp"]
                )
            )
            return f"-({one})" if name == "-" else f"{name}({one})"
        if kind == 3:
            clamp = draw(st.sampled_from(["clamp_min", "clamp_max"]))
            return f"{clamp}({one}, {draw(NUMBERS)})"
        if kind == 4:
            text = draw(st.sampled_from(["x", "$1", "", "hit", "$0"]))
            pattern = draw(st.sampled_from(["(.*)", "(.+)", "", ".*", "(h).*", "a"]))
            source = draw(st.sampled_from(["j", "s", "__name__", "t"])) if pattern else "t"
            return f'label_replace({one}, "{draw(st.sampled_from(["t", "s", "j"]))}", "{text}", "{source}", "{pattern}")'
        if kind == 5:
            function = draw(
                st.sampled_from(
                    ["max_over_time", "count_over_time", "changes", "sum_over_time", "last_over_time"]
                )
            )
            return f"{function}(({one})[4m:1m])"
        if kind == 6:
            pair = [f"({one})", draw(NUMBERS)]
            op = draw(st.sampled_from(["+", "-", "*", "/"]))
            return f" {op} ".join(pair if draw(st.booleans()) else pair[::-1])
        if kind in (7, 8):
            pair = [f"({one})", draw(NUMBERS)]
            op = draw(COMPARE) + draw(st.sampled_from(["", "", "", " bool"]))
            return f" {op} ".join(pair if draw(st.booleans()) else pair[::-1])
        if kind > 12:
            return draw(_twice(one))
        other = draw(st.one_of(inner, st.just(one)))
        if kind == 9:
            op = draw(st.sampled_from(["+", "-", "*", "/", ">", "<", "==", "> bool"]))
            return f"({one}) {op} {draw(matchings(True))} ({other})"
        op = draw(st.sampled_from(["and", "and", "unless", "or"]))
        return f"({one}) {op} {draw(matchings(False))} ({other})"

    return step()


EXPRESSIONS = st.recursive(plain(), _wrapped, max_leaves=6)
"""Expressions, some of which can never have a result."""
