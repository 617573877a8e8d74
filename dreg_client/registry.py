"""Registries: where one begins."""

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from types import TracebackType
from typing import Self, Unpack, cast

from dreg_client import errors
from dreg_client.connection import Connection
from dreg_client.protocol import ping
from dreg_client.protocol import tags_and_catalog as listing
from dreg_client.protocol.namespaces import Namespaces, whole_name
from dreg_client.protocol.options import Options, RegistryOptions, with_auth
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.repository import Repository
from dreg_client.values.reference import RepositoryName


class Registry:
    """A registry, and the connections to it; a context manager, which any number of threads may share.

    Args:
        url: A URL such as `https://registry.example`, with `/v2/` behind it or not; or a host, which is asked over
            https, but for this machine (`localhost:5000`). `docker.io` is Docker Hub.
        **options: How it is talked to, see `Options`. Without `credentials` it is anonymous.

    Raises:
        InvalidReferenceError: The text is neither URL nor host.
        TypeError: It is no text; or an option is nothing that is taken, such as an authentication of an HTTP library.
        ConfigError: An option names what cannot be used.

    Example:
        with Registry("http://localhost:5000") as registry:
            web = registry.repository("acme/web")
            print(web.tags())
    """

    def __init__(self, url: str, **options: Unpack[RegistryOptions]) -> None:
        chosen = Options(**options)
        self._base = RegistryURL.parse(url, plain_http=chosen.plain_http, tls=chosen.speaks_of_tls)
        self._connection = Connection(self._base, chosen)
        self._repositories: dict[str, Repository] = {}
        self._catalog: Namespaces[Repository] | None = None
        self._lock = Lock()

    @classmethod
    def build_with_manual_client(
        cls,
        url: str,
        *,
        auth: object = None,
        **options: Unpack[RegistryOptions],
    ) -> Self:
        """A registry, by the name that earlier versions have for it.

        Args:
            url: As of the class.
            auth: A pair of user and password; or an object with `request_token(scope)`, as `auth_service` is one.
            **options: As of the class.

        Raises:
            TypeError: `auth` is something else, such as an authentication of an HTTP library.
            ValueError: Both were given.
        """
        return cls(url, **with_auth(options, auth))

    @property
    def name(self) -> str:
        """What references call it: host and port."""
        return self._base.name

    @property
    def url(self) -> str:
        """Where it is, up to what stands before `/v2`."""
        return self._base.url

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def ping(self) -> None:
        """See that it is a registry, and that it lets us in (distribution-spec "Determining Support").

        Raises:
            UnauthorizedError: It wants to know who we are, or does not accept who we say.
            NotFoundError: It is no registry.
            TransportError: There is no way to it.
        """
        self._connection.carry(ping.ping())

    def is_up(self) -> bool:
        """Whether `ping` finds nothing wrong; no error comes out of it."""
        try:
            self.ping()
        except (errors.DregError, OSError):
            return False
        return True

    def repository(self, name: str, namespace: str | None = None) -> Repository:
        """A repository by its name; nothing is asked. The same name gives the same object.

        Args:
            name: The whole name, or the part behind the namespace.
            namespace: The part before the first slash, where `name` is without it.

        Raises:
            InvalidReferenceError: It is no name of a repository.
            ValueError: Both have a namespace.
        """
        whole = whole_name(name, namespace, self._base.name)
        with self._lock:
            return self._known(whole)

    def lone_repository(self, name: str) -> Repository:
        """A repository that closes this registry when it is closed.

        Raises:
            InvalidReferenceError: It is no name of a repository.
        """
        return Repository(self._connection, RepositoryName(name), self)

    def _known(self, name: RepositoryName) -> Repository:
        return self._repositories.setdefault(name, Repository(self._connection, name))

    def catalog(self, *, n: int | None = None, last: str | None = None) -> Iterator[str]:
        """The names of all repositories, page by page as they are taken; nothing is kept.

        Args:
            n: How many a page should have; the registry's choice where it is None, at most 1,000.
            last: Begin behind this name.

        Raises:
            UnsupportedError: The registry has no catalog.
        """
        pages = listing.catalog_pages(n, last)
        while pages.request is not None:
            yield from self._connection.carry(listing.repositories(pages))

    def namespaces(self) -> tuple[str, ...]:
        """The first parts of all names in the catalog, each once; `library` for those that have none.

        The catalog is read once, until `refresh`.
        """
        return self._namespaces().names

    def repositories(self, namespace: str | None = None) -> Mapping[str, Repository]:
        """The repositories in the catalog by their whole names, read-only; those of a namespace where one is given.

        The catalog is read once, until `refresh`.

        Raises:
            UnknownNamespaceError: There is no such namespace; it is a `KeyError`, too.
        """
        return self._namespaces().of(namespace)

    def refresh(self) -> None:
        """Read the catalog anew. Repositories that are gone from it are forgotten, as are all tags that were read."""
        names = dict.fromkeys(self.catalog())
        with self._lock:
            self._repositories = {name: known for name, known in self._repositories.items() if name in names}
            for known in self._repositories.values():
                known.refresh()
            self._catalog = self._namespaces_of(names)

    def _namespaces(self) -> Namespaces[Repository]:
        if self._catalog is None:
            self.refresh()
        return cast("Namespaces[Repository]", self._catalog)

    def _namespaces_of(self, names: Iterable[str]) -> Namespaces[Repository]:
        return Namespaces(((name, self._known(RepositoryName(name))) for name in names), self._base.name)

    def __repr__(self) -> str:
        return f"Registry({self._base.url!r})"
