"""Plain instant selectors, as SLOs are written with."""

from __future__ import annotations

import re

from pytest_sre.model.slo import Selector
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.parse import parse


def selector(text: str) -> Selector:
    """Read a selector such as ``http_requests_total{code=~"5.."}``. Raises ValueError (PromqlError where it isn't PromQL)."""
    expr = parse(text)
    if not isinstance(expr, VectorSelector):
        raise ValueError(
            f'"{text}" is not a plain selector: give the counter itself, without range or function'
        )
    if expr.offset or expr.at is not None:
        raise ValueError(f'"{text}" has an offset or @; give the plain selector')
    if not expr.name:
        raise ValueError(f'"{text}" names no metric')
    for matcher in expr.matchers:
        try:
            re.compile(matcher.value if matcher.op in ("=~", "!~") else "")
        except re.error as error:
            raise ValueError(f"{matcher}: Python cannot read this regular expression ({error})") from None
    return Selector(" ".join(text.split()), expr.name, expr.matchers)
