"""What a look at an expression tells: whether it gives nothing whatever the time, whether it depends on the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_sre.promql.ast import (
    SETS,
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Subquery,
    Unary,
    VectorSelector,
    children,
    walk,
)

_MADE_OF_NOTHING = frozenset({"absent", "absent_over_time", "scalar", "vector", "time", "pi", "info"})
# These check their texts even where there is nothing to change, and fail.
_CHECKING = frozenset({"label_replace", "label_join", "count_values"})
_CLOCKS = frozenset(
    {
        "time", "timestamp", "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month",
        "month", "year",
    }
)  # fmt: skip


def gives_nothing(expr: Expr, selects: Callable[[VectorSelector], bool]) -> bool:
    """Whether an expression surely has neither result nor error, because its selectors select nothing.

    ``selects`` says whether a selector may ever find a series.
    """
    if isinstance(expr, VectorSelector):
        return not selects(expr)
    if isinstance(expr, Binary):
        left, right = (gives_nothing(side, selects) for side in (expr.lhs, expr.rhs))
        if not (left or _cannot_fail(expr.lhs)) or not (right or _cannot_fail(expr.rhs)):
            return False
        return {"or": left and right, "unless": left}.get(expr.op, left or right)
    if isinstance(expr, (Call, Aggregate)):
        if _name(expr) in _MADE_OF_NOTHING | _CHECKING:
            return False
        parts = [(part, gives_nothing(part, selects)) for part in children(expr)]
        return any(nothing for _, nothing in parts) and all(
            nothing or _cannot_fail(part) for part, nothing in parts
        )
    return isinstance(expr, (MatrixSelector, Subquery, Unary)) and all(
        gives_nothing(part, selects) for part in children(expr)
    )


def _cannot_fail(expr: Expr) -> bool:
    """Whether evaluating it never fails: no vectors that must match, and nothing that checks its texts."""
    for part in walk(expr):
        if isinstance(part, Binary) and part.op not in SETS:
            if not isinstance(part.lhs, Number) and not isinstance(part.rhs, Number):
                return False
        elif isinstance(part, (Call, Aggregate)):
            if _name(part) in _CHECKING:
                return False
        elif isinstance(part, VectorSelector) and not part.name:
            return False
    return True


def _name(part: Call | Aggregate) -> str:
    return part.name if isinstance(part, Call) else part.op


def by_the_clock(expr: Expr) -> bool:
    """Whether it depends on what time it is, not only on how far apart samples are."""
    return any(
        (isinstance(part, Call) and (part.name in _CLOCKS or part.name.startswith("ts_of_")))
        or (isinstance(part, (VectorSelector, Subquery)) and isinstance(part.at, float))
        or (isinstance(part, VectorSelector) and _since(part))
        for part in walk(expr)
    )


def _since(selector: VectorSelector) -> bool:
    """Whether it may read when an alert began."""
    if selector.name:
        return selector.name == "ALERTS_FOR_STATE"
    named = {"__name__": "ALERTS_FOR_STATE"}
    return all(one.matches(named) for one in selector.matchers if one.label == "__name__")


def steps(expr: Expr) -> Iterator[float | None]:
    """The steps of its subqueries in seconds; None for the default one."""
    return (part.step for part in walk(expr) if isinstance(part, Subquery))


def looks_ahead(expr: Expr) -> bool:
    """Whether it reads what comes after the moment of its evaluation."""
    return any(
        isinstance(part, (VectorSelector, Subquery)) and (part.offset < 0 or isinstance(part.at, float))
        for part in walk(expr)
    )
