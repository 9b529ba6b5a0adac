"""An invisible mark that tells which alert a notification is about.

Most vendors' payloads name no alert, so the safe copy puts the fingerprint of the first alert in front of one
templated field; the sink takes it out again before anybody reads the text. Letters and digits only, so it
survives JSON, form encoding, XML and header encodings unchanged.
"""

from __future__ import annotations

import re

TEMPLATE = "sretag{{ (index .Alerts 0).Fingerprint }}gat"
MARKED, WRAPPED = "pytest_sre", "pytest_sre_payload"
"""Keys of a webhook's own payload: our mark, and, where the payload is one template, what it renders."""
_PATTERN = re.compile("sretag([0-9a-f]{16})gat")


def strip(text: str) -> tuple[str, str]:
    """The text without the mark, and the fingerprint that it carried ("" where there was none)."""
    found = _PATTERN.search(text)
    return (_PATTERN.sub("", text), found[1]) if found else (text, "")
