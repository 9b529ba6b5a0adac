"""What `runbooks:` in sre.yaml may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pytest_sre.model.runbook_checks import IDS
from pytest_sre.sources.fields import Frozen
from pytest_sre.sources.front_matter import Interval

Level = Literal["off", "info", "warning", "error"]
Profile = Literal["generic", "prometheus"]


def _ids(value: dict[str, Level]) -> dict[str, Level]:
    unknown = [one for one in value if one not in IDS]
    if unknown:
        raise ValueError(f"there is no check {unknown[0]}; there are {', '.join(IDS)}")
    return value


class Runbooks(Frozen):
    """Which pages are runbooks, and what is asked of them.

    ``urls`` maps URL prefixes to local folders; ``annotations`` are looked at in order; ``pages`` are globs of pages
    that are audited beside those that alerts link to. ``sections`` adds words to the headings of a canonical section,
    ``severities`` overrides those of the checks. ``review_interval`` is how long a review holds where the page doesn't
    say it, ``escalation`` whom everybody can turn to, whatever the page says.
    """

    urls: dict[str, str] = Field(default_factory=dict)
    annotations: tuple[str, ...] = ("runbook_url", "runbook", "playbook")
    pages: tuple[str, ...] = ()
    profile: Profile = "generic"
    sections: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    severities: Annotated[dict[str, Level], AfterValidator(_ids)] = Field(default_factory=dict)
    review_interval: Interval = "1y"
    escalation: str | None = None

    def link(self, annotations: Mapping[str, str]) -> tuple[str, str]:
        """The annotation that holds a runbook link, and the link; both empty where there is none."""
        names = (name for name in self.annotations if annotations.get(name))
        return next(((name, annotations[name]) for name in names), ("", ""))
