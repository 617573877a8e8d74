"""Registries and their catalogs."""

from collections.abc import AsyncIterator, Mapping
from typing import Self, Unpack

from dreg_client import errors
from dreg_client._async.client import AsyncClient
from dreg_client._async.limits import limited
from dreg_client._async.lists import iter_catalog
from dreg_client._async.repository import AsyncRepository
from dreg_client.protocol.options import RegistryOptions, with_auth
from dreg_client.protocol.registry_url import check_ping, ping_request
from dreg_client.protocol.tags_and_catalog import MAX_STREAMED_PAGES, AllNames, Namespaces, whole_name
from dreg_client.values.arguments import check_flag
from dreg_client.values.reference import RepositoryName


class AsyncRegistry:
    """A registry and its connections. Tasks may share it. Use it as an async context manager.

    Args:
        url: A URL such as `https://registry.example`, with or without `/v2/`; or a host. For a host, https is used,
            except on this machine (`localhost:5000`). `docker.io` is Docker Hub.
        strict: If False, also return documents with only minor errors, such as a media type with parameters (see
            Rules, "Read invalid documents"); `.problems` lists them.
        **options: Any of the following; see `Options` for details.
            credentials: A pair (user, password), a `Credential`, or a source such as `Credentials.default()`. Without
            credentials, requests are anonymous. auth_service: An object that returns tokens. trusted_token_hosts:
            Additional hosts that may get the credential. upload_hosts: Other hosts to which blobs may be uploaded.
            plain_http: Use HTTP. insecure: Do not verify the certificate. ca_file: A file with additional CA
            certificates. client_cert: A pair (certificate, key) of paths. certs_dirs: Directories like docker's
            `certs.d`. ssl_context: A TLS context, used instead of all these.
            timeout: `Timeouts`, or seconds. deadline: Seconds for each call, with all its requests. retries: The
            maximum number of retries. max_retry_after: The longest `Retry-After` to wait for, in seconds. connections:
            The maximum number of connections to one host.
            mirrors: URLs of mirrors, or `Mirror`s, tried first. proxy: The URL of a proxy. trust_env: Whether to use
            the proxies in environment variables. user_agent: The `User-Agent` header.
            http, transport: A transport of httpx or httpx2 to use. keep_alive: Let it keep its connections.
            on_event: A function that is called with each event.

    Raises:
        InvalidReferenceError: The text is neither a URL nor a host.
        TypeError: `url` is not a str, or an option has the wrong type, such as an HTTP library's authentication.
        ConfigError: An option has a value that cannot be used, such as an unreadable file.

    Example:
        async with AsyncRegistry("http://localhost:5000") as registry:
            web = registry.repository("acme/web")
            print(await web.tags())
    """

    def __init__(self, url: str, *, strict: bool = True, **options: Unpack[RegistryOptions]) -> None:
        check_flag("strict", strict)
        self._client = AsyncClient.open(url, **options)
        self._strict = strict
        self._url = self._client.registry
        self._repositories: dict[str, AsyncRepository] = {}
        self._catalog: Namespaces[AsyncRepository] | None = None
        self._deadline_seconds = self._client.deadline_seconds

    @classmethod
    def build_with_manual_client(
        cls, url: str, *, auth: object = None, strict: bool = True, **options: Unpack[RegistryOptions]
    ) -> Self:
        """Return a registry. This method exists for compatibility with earlier versions.

        Args:
            url: See the class.
            auth: A pair (user, password), or an object with `request_token(scope)` (like `auth_service`).
            strict: See the class.
            **options: See the class.

        Raises:
            TypeError: `auth` has another type, such as an HTTP library's authentication.
            ValueError: `auth_service` or `credentials` was also given.
        """
        return cls(url, strict=strict, **with_auth(options, auth))

    @property
    def name(self) -> str:
        """The registry's name in references: host and port."""
        return self._url.name

    @property
    def url(self) -> str:
        """The registry's URL without `/v2`."""
        return self._url.url

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @limited
    async def ping(self) -> None:
        """Check that this is a registry, and that it accepts the credentials (distribution-spec "Determining Support").

        Raises:
            UnauthorizedError: It requires credentials, or rejects the given ones.
            NotFoundError: It is not a registry.
            TransportError: It cannot be reached.
        """
        request = ping_request()
        check_ping(await self._client.send(request), request)

    @limited
    async def is_up(self) -> bool:
        """Return whether `ping` succeeds.

        Raises:
            ConfigError: A certificate file, a credential file or a proxy cannot be used, so nothing was sent.
            MissingLibraryError: A SOCKS proxy requires a library that is not installed.
        """
        try:
            await self.ping()
        except (errors.ConfigError, errors.MissingLibraryError):
            raise
        except (errors.DregError, OSError):
            return False
        return True

    def repository(self, name: str, namespace: str | None = None) -> AsyncRepository:
        """Return a repository by its name, without a request. The same name returns the same object.

        Args:
            name: The full name, or, with `namespace`, the part after the namespace.
            namespace: The part of the name before the first slash, if `name` does not include it.

        Raises:
            InvalidReferenceError: The name is not valid.
            ValueError: `name` already includes a namespace.
        """
        return self._repository(whole_name(name, namespace, self._url.name))

    def _repository(self, name: RepositoryName) -> AsyncRepository:
        if (known := self._repositories.get(name)) is not None:
            return known
        # `setdefault`, because another thread may do the same
        return self._repositories.setdefault(name, AsyncRepository(self._client, name, strict=self._strict))

    async def catalog(self, *, n: int | None = None, last: str | None = None) -> AsyncIterator[str]:
        """Iterate over the names of all repositories. Pages are requested as needed, and are not cached.

        Args:
            n: Names per page, at most 1,000 (default: the registry's choice).
            last: Start after this name.

        Raises:
            UnsupportedError: The registry has no catalog.
        """
        async for name in iter_catalog(self._client, n, last, MAX_STREAMED_PAGES):
            yield name

    @limited
    async def namespaces(self) -> tuple[str, ...]:
        """List the namespaces: the first parts of all names in the catalog, or `library` for names without a slash.

        The catalog is cached until `refresh`.
        """
        return (self._catalog or await self._read_catalog()).names

    @limited
    async def repositories(self, namespace: str | None = None) -> Mapping[str, AsyncRepository]:
        """Return a read-only mapping of the catalog's repositories, by full name; with `namespace`, only those in it.

        The catalog is cached until `refresh`.

        Raises:
            UnknownNamespaceError: There is no such namespace. It is also a `KeyError`.
        """
        return (self._catalog or await self._read_catalog()).of(namespace)

    @limited
    async def refresh(self) -> None:
        """Read the catalog again. Clears all cached tags, and drops repositories that are no longer in the catalog."""
        await self._read_catalog()

    async def _read_catalog(self) -> Namespaces[AsyncRepository]:
        listed = AllNames(f"the catalog of {self.name}", "read it name by name, with catalog()")
        async for name in self.catalog():
            listed.add(name)
        names = dict.fromkeys(listed.all())
        for name, known in [*self._repositories.items()]:
            known.refresh()
            if name not in names:
                self._repositories.pop(name, None)
        found = [(name, self._repository(RepositoryName(name))) for name in names]
        self._catalog = catalog = Namespaces(found, self._url.name)
        return catalog

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url.url!r})"


def open_repository(
    registry: str, name: RepositoryName, *, strict: bool = True, **options: Unpack[RegistryOptions]
) -> AsyncRepository:
    """Return a repository that closes the connections to its registry when it is closed."""
    check_flag("strict", strict)
    return AsyncRepository(AsyncClient.open(registry, **options), name, owns_client=True, strict=strict)
