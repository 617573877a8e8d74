"""The host names of Docker Hub: references, the API, tokens and credential files use different ones."""

from typing import Final

DOCKER_HUB: Final = "docker.io"
"""The registry in references."""
HUB_INDEX: Final = "index.docker.io"
"""The host in credential files, and in old references."""
HUB_HOST: Final = "registry-1.docker.io"
"""The host that serves the registry API."""
HUB_TOKEN_HOST: Final = "auth.docker.io"
HUB_NAMES: Final = (DOCKER_HUB, HUB_INDEX, HUB_HOST)
"""The hosts that stand for Docker Hub in references."""
HUB_SERVER: Final = f"https://{HUB_INDEX}/v1/"
"""The key of Docker Hub in credential files."""
