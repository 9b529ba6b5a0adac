"""JSON Schemas for editors: of sre.yaml and of a runbook's front matter.

``python -m pytest_sre.schema FOLDER`` writes both into a folder; those in docs/schema are made that way.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pytest_sre.model.runbook_checks import IDS
from pytest_sre.settings import SreYaml
from pytest_sre.sources.front_matter import FrontMatter

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES: dict[str, tuple[type[BaseModel], str]] = {
    "sre.schema.json": (SreYaml, "sre.yaml of pytest-sre"),
    "runbook-front-matter.schema.json": (FrontMatter, "Front matter of a runbook, for pytest-sre"),
}

_TEXT: dict[str, Any] = {"type": "string"}
SHORT = {
    ("MetricsPages",): _TEXT,
    ("AlertSpec",): _TEXT,
    ("Oncall", "match"): {"type": "object", "additionalProperties": _TEXT},
    ("SloSpec", "objective"): {"type": "string", "pattern": r"^\s*[0-9.]+\s*%?\s*$"},
}
"""Short forms that validators take before pydantic sees the value, by model and key."""


def schema(name: str) -> dict[str, Any]:
    """The schema that is in a file of this name."""
    model, title = FILES[name]
    made = model.model_json_schema(mode="validation")
    _allow_short_forms(made.get("$defs", {}))
    _name_checks(made.get("$defs", {}))
    return {"$schema": DIALECT, "title": title, **_as_yaml(made)}


def write(folder: Path) -> list[Path]:
    """Both files, in a folder that is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / name for name in FILES]
    for path in written:
        path.write_text(json.dumps(schema(path.name), indent=2, sort_keys=True) + "\n", "utf-8")
    return written


def _allow_short_forms(models: dict[str, Any]) -> None:
    for (model, *key), short in SHORT.items():
        if model in models:
            place, last = (models[model]["properties"], key[0]) if key else (models, model)
            place[last] = {"anyOf": [place[last], short]}


def _name_checks(models: dict[str, Any]) -> None:
    if "Runbooks" in models:
        models["Runbooks"]["properties"]["severities"]["propertyNames"] = {"enum": list(IDS)}
    if "OfPlugin" in models:
        models["OfPlugin"]["properties"]["disable"]["items"] = {"enum": list(IDS)}


def _as_yaml(node: Any) -> Any:
    """Without what pydantic makes of Python's names; an unquoted number or boolean in YAML is a text to us."""
    if isinstance(node, list):
        return [_as_yaml(one) for one in node]
    if not isinstance(node, dict):
        return node
    found = {
        key: value if key == "default" else _as_yaml(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str)) and (key, value) != ("default", None)
    }
    if found.get("type") == "string" and not found.keys() & {"enum", "const", "format", "pattern"}:
        found["type"] = ["string", "number", "boolean"]
    return found


def main() -> int:
    """Write the files; how to use them is in docs/editors.md."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print("usage: python -m pytest_sre.schema FOLDER", file=sys.stderr)
        return 2
    try:
        written = write(Path(sys.argv[1]))
    except OSError as error:
        print(f"cannot write the schemas: {error}", file=sys.stderr)
        return 1
    print("\n".join(map(str, written)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
