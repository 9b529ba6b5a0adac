"""Findings that only warn; the user's `filterwarnings` decides what becomes of them."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_sre.model.finding import Finding


class PytestSreWarning(pytest.PytestWarning):
    """A finding that only warns."""

    # Where users, filters and pytest-xdist find it.
    __module__ = "pytest_sre"


def warn(finding: Finding, root: Path) -> Finding:
    """Issue a warning at the finding's place; the finding comes back, as an error where a filter makes it one.

    ``root`` is what its path is relative to. Filters may name the file as shown in their module field:
    ``ignore::pytest_sre.PytestSreWarning:rules/legacy.yml``.
    """
    try:
        warnings.warn_explicit(
            PytestSreWarning(finding.text),
            None,
            os.path.normpath(root / finding.location.path),
            finding.location.line,
            module=finding.location.path,
        )
    except PytestSreWarning:
        return replace(finding, severity="error")
    return finding
