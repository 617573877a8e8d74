"""Turn the exceptions of reading a file into errors of this package that name the file."""

from collections.abc import Generator
from contextlib import contextmanager

from dreg_client.errors import FileError, NotFoundError
from dreg_client.files.compressed import BrokenStreamError
from dreg_client.files.tar_headers import HeaderError
from dreg_client.values.source_url import shown_source


@contextmanager
def naming_file(source: str) -> Generator[None]:
    """Raise `FileError` or `NotFoundError` for errors of the operating system and of damaged files."""
    name = shown_source(source)
    try:
        yield
    except FileNotFoundError:
        raise NotFoundError(f"file {name}") from None
    except (BrokenStreamError, HeaderError) as failure:
        raise FileError(name, str(failure)) from None
    except OSError as failure:
        raise FileError(name, f"cannot be read: {failure.strerror or failure}") from failure
