"""What several rooms of the tests share."""

import gc
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from hypothesis import settings

from tests.registries import LAYOUT, RunningRegistry, running, with_passwords
from tests.token_server import TokenServer, with_tokens

settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

# A shell starts background jobs with SIGINT ignored, and nohup ignores SIGHUP. The commands that tests start would
# inherit that, and tests that interrupt them would wait forever. A handler is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the tests themselves: there are as many of them as of all else."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _the_system_trusts_one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """OpenSSL's default file has one certificate: to parse a system's 150 takes longer than most tests."""
    file = tmp_path_factory.mktemp("system") / "authorities.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(autouse=True)
def _the_logger_is_as_it_was() -> Iterator[None]:
    """What one test does to our logger, as the command line does, no other one meets."""
    logger = logging.getLogger("dreg_client")
    level, handlers, propagate = logger.level, logger.handlers[:], logger.propagate
    yield
    logger.setLevel(level)
    logger.handlers[:], logger.propagate = handlers, propagate


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of real and broken documents, layouts and archives."""
    return Path(__file__).parent.parent / "fixtures"


@pytest.fixture(scope="session")
def open_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """Debian's docker-registry, open to all, with the images of the examples; nobody changes what others read."""
    with running(tmp_path_factory.mktemp("open")) as registry:
        registry.seed()
        registry.push_all(LAYOUT, "spec/web")
        yield registry


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[RunningRegistry]:
    """The same for one test alone, which may change it."""
    with running(tmp_path) as registry:
        yield registry


@pytest.fixture(scope="session")
def password_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """One that wants a password."""
    with with_passwords(tmp_path_factory.mktemp("passwords")) as registry:
        registry.seed()
        yield registry


@pytest.fixture(scope="session")
def token_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningRegistry, TokenServer]]:
    """One that wants tokens, behind TLS, and its token server."""
    with with_tokens(tmp_path_factory.mktemp("tokens")) as (registry, tokens):
        registry.seed()
        registry.push(LAYOUT, "single", "public/web:1")
        yield registry, tokens
