"""Which proxy stands before a host, as the environment says it."""

import ipaddress
import os
from collections.abc import Mapping

from dreg_client.errors import ConfigError
from dreg_client.values.origin import Origin


def proxy_for(origin: Origin, environment: Mapping[str, str] | None = None) -> str | None:
    """The URL of the proxy for an origin, None for the direct way.

    Lower-case names win. `HTTP_PROXY` is passed over where a web server runs us (`REQUEST_METHOD`), since a client
    could have set it. `NO_PROXY` has hosts, suffixes of hosts, networks as `10.0.0.0/8`, ports behind them, and `*`.

    Examples:
        >>> proxy_for(Origin.of("https://registry.example"), {"HTTPS_PROXY": "proxy.example:3128"})
        'http://proxy.example:3128'
        >>> proxy_for(Origin.of("https://10.1.2.3"), {"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"})
    """
    known = os.environ if environment is None else environment
    if any(_matches(entry, origin) for entry in _value(known, "no_proxy").replace(",", " ").split()):
        return None
    named = "" if origin.scheme == "http" and "REQUEST_METHOD" in known else _value(known, f"{origin.scheme}_proxy")
    text = named or _value(known, "all_proxy")
    return proxy_url(text) if text else None


def proxy_url(text: str) -> str:
    """A proxy's URL; without a scheme it is an http one.

    Raises:
        ConfigError: It is neither http nor https; the text, which may hold a password, is not repeated.
    """
    url = text if "://" in text else f"http://{text}"
    if url.partition("://")[0].lower() not in {"http", "https"}:
        raise ConfigError("a proxy is named whose URL is neither http:// nor https://")
    return url


def _value(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or (environment.get(name.upper()) or "")


def _matches(entry: str, origin: Origin) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _is_within(origin.host, entry)
    host, port = _cut(entry.lower())
    if port and port != str(origin.port):
        return False
    suffix = host.removeprefix("*").lstrip(".")
    return origin.host == suffix or (bool(suffix) and origin.host.endswith(f".{suffix}"))


def _cut(entry: str) -> tuple[str, str]:
    """Host and port of an entry; an IPv6 address may have brackets."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") > 1:
        return entry, ""
    host, _, port = entry.partition(":")
    return host, port


def _is_within(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
