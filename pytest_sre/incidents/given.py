"""What a Python test gives, read by the models of sre.yaml."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from pytest_sre.errors import UserError
from pytest_sre.settings import in_words
from pytest_sre.sources.fields import Frozen

_Model = TypeVar("_Model", bound=Frozen)


def read_as(model: type[_Model], given: Any, call: str) -> _Model:
    """The model of what a call like sre.route was given; raises UserError."""
    __tracebackhide__ = True
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{call}: {where}: {in_words(first)}") from None
