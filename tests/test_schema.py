"""The JSON Schemas: those in docs/schema are those of the models, and say of files what the models say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import REPO

from pytest_sre import schema
from pytest_sre.settings import SreYaml
from pytest_sre.sources import front_matter
from pytest_sre.sources.runbook import parse_runbook
from pytest_sre.sources.yamlfile import load_all

DOCS = REPO / "docs"
SRE = "sre.schema.json"
FRONT_MATTER = "runbook-front-matter.schema.json"
EXAMPLES = [
    text
    for path in sorted(DOCS.rglob("*.md"))
    for text in re.findall(
        r"^```yaml\n(# (?:sre\.yaml|yaml-language-server: \S+)\n.*?)^```$",
        path.read_text("utf-8"),
        re.M | re.S,
    )
] + [path.read_text("utf-8") for path in sorted((REPO / "examples").glob("*/sre.yaml"))]


class _Json(yaml.SafeLoader):
    """YAML 1.2 as editors read it: dates are texts."""


_Json.yaml_implicit_resolvers = {
    first: [one for one in several if one[0] != "tag:yaml.org,2002:timestamp"]
    for first, several in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def complaints(name: str, text: str) -> list[str]:
    """What an editor marks."""
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema.schema(name))
    validator.check_schema(validator.schema)
    return [one.message for one in validator.iter_errors(yaml.load(text, _Json))]


@pytest.mark.parametrize("name", schema.FILES)
def test_the_files_in_docs_are_those_of_the_models(name: str) -> None:
    written = json.loads((DOCS / "schema" / name).read_text("utf-8"))

    assert written == schema.schema(name), "run: python -m pytest_sre.schema docs/schema"


def test_the_module_writes_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["schema", str(tmp_path / "new" / ".sre")])

    assert schema.main() == 0
    for line in capsys.readouterr().out.splitlines():
        assert json.loads(Path(line).read_text("utf-8"))["$schema"] == schema.DIALECT
    monkeypatch.setattr("sys.argv", ["schema"])
    assert schema.main() == 2
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("sys.argv", ["schema", str(tmp_path / "file")])
    assert schema.main() == 1


def test_every_key_of_sre_yaml_is_in_the_schema() -> None:
    assert set(schema.schema(SRE)["properties"]) == set(SreYaml.model_fields)
    assert set(schema.schema(FRONT_MATTER)["properties"]) == set(front_matter.KEYS)


def test_every_short_form_is_one_of_a_model_that_is_there() -> None:
    models: dict[str, Any] = schema.schema(SRE)["$defs"]
    for model, *key in schema.SHORT:
        place = models[model]["properties"][key[0]] if key else models[model]
        assert len(place["anyOf"]) == 2


@pytest.mark.parametrize("text", EXAMPLES)
def test_what_is_documented_is_fine_in_an_editor(text: str) -> None:
    assert complaints(SRE, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "rule: [a.yml]",
        "rules: a.yml",
        "runbooks: {severities: {RB999: 'off'}}",
        "runbooks: {severities: {RB101: loud}}",
        "runbooks: {review_interval: 6m}",
        "slos: [{name: a b, objective: 99, errors: a, total: b}]",
        "slos: [{name: a, objective: 101, errors: a, total: b}]",
        "servers: {prometheus: {lookback_delta: 5 minutes}}",
        "page_worth: 0.5",
        "scopes: [{folder: x}]",
    ],
)
def test_what_is_wrong_is_wrong_in_both(text: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        SreYaml.model_validate(load_all(text)[0].value)
    assert complaints(SRE, text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "title: A\nowner: Ann\nreviewed: 2026-03-01\nreview_interval: 6 months\nalerts: DiskFull\nseverity: 1",
            False,
        ),
        ("owner: [Ann, Bob]\nlast_reviewed: '2026-3-1'\nsre: {disable: [RB101]}", False),
        ("owner:\nreviewed:", False),
        ("reviewed: soon", True),
        ("review_interval: 6m", True),
        ("review_interval: 90", True),
        ("sre: {disable: RB101}", True),
        ("sre: {disable: [RB999]}", True),
        ("alerts: {DiskFull: 1}", True),
    ],
)
def test_front_matter_is_told_alike(text: str, wrong: bool) -> None:
    page = parse_runbook(f"---\n{text}\n---\n# A\n")

    assert bool(front_matter.read(page.front_matter)[1]) == wrong
    assert bool(complaints(FRONT_MATTER, text)) == wrong
