"""The connection to a container engine, and its errors in words for users."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import docker.errors
import requests
import urllib3
from testcontainers.core.config import testcontainers_config
from testcontainers.core.docker_client import DockerClient

from pytest_sre.errors import StackError
from pytest_sre.stack import docker_host

CONNECT_TIMEOUT = 10  # seconds
ANSWER_TIMEOUT = 120  # seconds; removing a container of a busy engine takes some

LOCAL = ("localhost", "127.0.0.1", "::1")
ENGINE_ERRORS = (
    docker.errors.DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    ValueError,  # the SDK reads a connection that another thread has closed
    LookupError,  # an answer lacks what Docker's has
)
"""What the SDK raises when the engine refuses, or does not answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """An engine that answered; ``api`` is the Docker SDK's own client."""

    client: DockerClient

    @property
    def api(self) -> Any:
        """The Docker SDK's low-level client; wrap its calls in `engine_errors`."""
        return self.client.client.api

    @property
    def host(self) -> str:
        """Where ports that the engine publishes can be reached."""
        return str(self.client.host())

    @property
    def is_remote(self) -> bool:
        """Whether it is on another machine than we."""
        return self.host not in LOCAL

    @property
    def is_podman(self) -> bool:
        """Whether it is Podman, which knows other options; wrap it in `engine_errors`."""
        return any(
            "podman" in part.get("Name", "").lower() for part in self.api.version().get("Components") or ()
        )

    def provide(self, image: str, tell: Callable[[str], None]) -> None:
        """Pull an image that is not there; raises StackError."""
        name = image_name(image)
        with engine_errors(f"cannot look for the image {name}"):
            with contextlib.suppress(docker.errors.ImageNotFound):
                self.api.inspect_image(name)
                return
            tell(f"pulling {name}")
            try:
                self.client.client.images.pull(name)
            except docker.errors.APIError as error:
                raise StackError(
                    f"the image {name} is not there and cannot be pulled ({error.explanation or error}); pull or "
                    "load it yourself, or name one with --sre-prometheus-image, --sre-alertmanager-image or "
                    "--sre-relay-image."
                ) from None


def image_name(image: str) -> str:
    """The name with testcontainers' prefix for mirrors (TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX)."""
    return str(testcontainers_config.hub_image_name_prefix) + image


@contextlib.contextmanager
def connected() -> Iterator[Engine]:
    """The first engine that answers; raises StackError that says which were asked."""
    tried = []
    for address in docker_host.addresses():
        try:
            engine = Engine(_client(address))
        except ENGINE_ERRORS as error:
            tried.append(
                f"{address or os.environ.get('DOCKER_HOST') or 'the Docker context'}: {_words(error)}"
            )
            continue
        try:
            yield engine
        finally:
            engine.client.client.close()
        return
    raise StackError(f"no container engine answers ({'; '.join(tried)})" if tried else docker_host.NO_ENGINE)


def _client(address: str) -> DockerClient:
    # testcontainers looks at DOCKER_HOST and contexts; other sockets it must be told.
    found = {"environment": {"DOCKER_HOST": address}} if address else {}
    client = DockerClient(timeout=CONNECT_TIMEOUT, **found)
    client.client.api.timeout = ANSWER_TIMEOUT
    return client


@contextlib.contextmanager
def engine_errors(doing: str) -> Iterator[None]:
    """Turn whatever the engine or the way to it does wrong into a StackError that starts with ``doing``."""
    try:
        yield
    except docker.errors.APIError as error:
        raise StackError(f"{doing}: {error.explanation or error}") from None
    except ENGINE_ERRORS as error:
        raise StackError(f"{doing}: the container engine does not answer: {_words(error)}") from None


def _words(error: Exception) -> str:
    text = str(error).replace("Error while fetching server API version: ", "")
    return " ".join(text.split())[:300] or type(error).__name__
