"""One `http_config` that leads to the sink, written anew from an allow-list: nothing slips through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_sre.sources.yamlfile import Plain
from pytest_sre.stack.dummies import DummyFiles, dummy, dummy_url, words

Refuse = Callable[[Mapping[str, Any], str], Any]

_TRUE = Plain("true")
_REPLACED = words("proxy_url no_proxy proxy_from_environment proxy_connect_header tls_config")
# Key → what becomes of it: kept, a dummy, a file with a dummy, a URL whose host is kept, or left out.
_AUTHORIZATION = {
    "type": "keep",
    "credentials": "dummy",
    "credentials_file": "file",
    "credentials_ref": "dummy",
}
_BASIC = {
    "username": "dummy",
    "username_file": "file",
    "username_ref": "dummy",
    "password": "dummy",
    "password_file": "file",
    "password_ref": "dummy",
}
_OAUTH2 = {
    "client_id": "keep",
    "client_secret": "dummy",
    "client_secret_file": "file",
    "client_secret_ref": "dummy",
    "scopes": "keep",
    "token_url": "url",
    "endpoint_params": "values",
    "audience": "keep",
    # A signed assertion needs a real private key: the copy asks for a token with a client secret instead.
    "grant_type": "drop",
    "client_certificate_key": "drop",
    "client_certificate_key_file": "drop",
    "client_certificate_key_id": "drop",
    "client_certificate_key_ref": "drop",
    "signature_algorithm": "drop",
    "iss": "drop",
    "claims": "drop",
}
_HEADER = {"values": "values", "secrets": "values", "files": "files"}
_TOP = {
    "follow_redirects": "keep",
    "enable_http2": "keep",
    "bearer_token": "dummy",
    "bearer_token_file": "file",
}


def safe_http_config(
    config: Mapping[str, Any], proxy_url: str, files: DummyFiles, refuse: Refuse
) -> tuple[dict[str, Any], list[str]]:
    """The copy of an effective ``http_config``, and the names of the secrets replaced in it.

    ``refuse`` is called with the mapping and the key that is unknown, and raises.
    """
    replaced: list[str] = []
    nested = {"authorization": _AUTHORIZATION, "basic_auth": _BASIC, "oauth2": _OAUTH2}
    copy: dict[str, Any] = {}
    for key, value in config.items():
        if key in _REPLACED or value is None:
            continue
        if key in _TOP:
            copy[key] = _replace(_TOP[key], value, files)
        elif key in nested:
            copy[key] = _mapping(nested[key], config, key, files, refuse)
        elif key == "http_headers":
            copy[key] = {
                name: _mapping(_HEADER, value, name, files, refuse) for name in _known(config, key, refuse)
            }
        else:
            refuse(config, key)
        if key not in ("follow_redirects", "enable_http2"):
            replaced.append(key)
    way = {"proxy_url": proxy_url, "tls_config": {"insecure_skip_verify": _TRUE}}
    if "oauth2" in copy:
        copy["oauth2"].update(way)
        if "grant_type" in config["oauth2"] and not any(
            key.startswith("client_secret") for key in copy["oauth2"]
        ):
            copy["oauth2"]["client_secret"] = "x" * 32
    return {**copy, **way}, replaced


def _known(holder: Mapping[str, Any], key: str, refuse: Refuse) -> Mapping[str, Any]:
    value = holder[key]
    if value is not None and not isinstance(value, Mapping):
        refuse(holder, key)
    return value or {}


def _mapping(
    rules: Mapping[str, str], holder: Mapping[str, Any], key: str, files: DummyFiles, refuse: Refuse
) -> dict[str, Any]:
    source = _known(holder, key, refuse)
    copy = {}
    for name, value in source.items():
        if name in _REPLACED and rules is _OAUTH2:
            continue
        if name not in rules:
            refuse(source, name)
        if rules[name] != "drop":
            copy[name] = _replace(rules[name], value, files)
    return copy


def _replace(rule: str, value: Any, files: DummyFiles) -> Any:
    if rule == "keep" or not value:
        return value
    if rule == "file":
        return files.write("x" * 32)
    if rule == "url":
        return dummy_url(value, keep_path=True)
    if rule == "files":
        return [files.write("x" * 32) for _ in value]
    if rule == "values":
        items = value.items() if isinstance(value, Mapping) else None
        return (
            {key: dummy(item) for key, item in items}
            if items is not None
            else [dummy(item) for item in value]
        )
    return dummy(value)
