"""Do the links of a notification lead to the servers' external URLs, not to the run's own servers?"""

from __future__ import annotations

import ipaddress
import platform
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from pytest_sre.checks.case import Case
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import Notification

_CONTAINER = re.compile(r"[0-9a-f]{12}")  # a container's host name, if it has no other


def strayed(case: Case, notification: Notification, check: str) -> Iterator[tuple[str, Finding]]:
    """Links to here, of servers whose external URL is known. Of others they are as they must be."""
    servers = case.settings.servers
    for link in notification.links:
        parts = _split(link)
        if parts is None or not _is_here(parts):
            continue
        name = _server(parts)
        url = getattr(servers, name).external_url if name else None
        if url and not link.startswith(url):
            where = notification.integration
            yield (
                f"link {name}",
                Finding(
                    check,
                    case.rule.location,
                    f"a link that {where} gets for {case.rule.name} leads nowhere",
                    expected=f"a link below {url}",
                    seen=link,
                    next_step=f"use {{{{ .ExternalURL }}}} or {{{{ .GeneratorURL }}}} in the texts of {where}",
                    severity="warning",
                ),
            )


def _split(link: str) -> SplitResult | None:
    try:
        return urlsplit(link) if urlsplit(link).hostname else None
    except ValueError:
        return None


def _is_here(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if host in ("localhost", platform.node().lower()) or _CONTAINER.fullmatch(host):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _server(parts: SplitResult) -> str:
    """Whose page it is, by its form; "" where that says nothing: texts also quote addresses that labels hold."""
    if parts.fragment.startswith("/"):
        return "alertmanager"
    return "prometheus" if parts.path.endswith("/graph") else ""
