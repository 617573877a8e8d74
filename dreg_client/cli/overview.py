"""Tables for `dreg --help` and the reference page: names of images, exit codes, environment variables."""

from typing import Final

SOURCES: Final = {
    "REGISTRY/REPOSITORY[:TAG|@DIGEST]": "An image in a registry. As with docker, the default tag is latest, and a "
    "name without a registry is on Docker Hub.",
    "oci:PATH[:TAG|@DIGEST]": "An OCI image layout in a directory.",
    "oci-archive:FILE[:TAG|@DIGEST]": "An OCI image layout in a tar archive.",
    "registry-storage:PATH/REPOSITORY[:TAG|@DIGEST]": "An image in the storage of a registry, read without the server. "
    "PATH is the directory that contains docker/registry/v2, or a URL of it, such as s3://bucket/registry.",
    "docker-archive:FILE[:NAME:TAG|:@N]": "An archive as docker save writes it. @N selects an image by its position; "
    "@0 is the first.",
}
"""How the source of an image is written, by kind."""

EXIT_CODES: Final = {
    "0": "Success.",
    "1": "A document is invalid, or some of several items failed.",
    "2": "Usage or configuration error.",
    "3": "Authentication failed, or access was denied.",
    "4": "Not found: an image, tag, platform, blob or file.",
    "5": "Content does not match its digest, is unsafe, or cannot be read or written.",
    "6": "Network error, timeout, or error of the registry or cluster.",
    "7": "Ambiguous name, or a conflict: something was changed meanwhile.",
    "8": "Not supported by the registry or by dreg.",
    "9": "A dry run would change something, if --exit-code was given.",
    "70": "A bug in dreg.",
    "129": "Interrupted by SIGHUP: the terminal was closed.",
    "130": "Interrupted by SIGINT (Ctrl-C).",
    "141": "Standard output was closed early, for example by head.",
    "143": "Interrupted by SIGTERM.",
}

ENVIRONMENT: Final = {
    "REGISTRY_AUTH_FILE": "Credential file to use instead of all others; --authfile takes precedence.",
    "DOCKER_AUTH_CONFIG": "Content of a credential file.",
    "DOCKER_CONFIG": "Directory of Docker's config.json (default: ~/.docker).",
    "XDG_RUNTIME_DIR, XDG_CONFIG_HOME": "Directories in which containers/auth.json, Podman's credential file, is "
    "looked up.",
    "XDG_STATE_HOME": "Directory in which dreg blob put --resume remembers interrupted uploads, in dreg/uploads "
    "(default: ~/.local/state).",
    "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY": "Proxy URL for HTTPS, HTTP, or both: http://, https://, socks5:// or "
    "socks5h://. The lower-case names take precedence.",
    "NO_PROXY": "Hosts, domains and networks to connect to without a proxy, separated by commas; * for all.",
    "SSL_CERT_FILE, SSL_CERT_DIR": "CA certificates to trust instead of the system's; --ca-file adds more.",
    "SSLKEYLOGFILE": "File to which TLS keys are written, for debugging with Wireshark.",
    "NO_COLOR": "Disables colors if it is set and not empty.",
    "TERM": "The value dumb disables colors and progress bars.",
    "COLUMNS": "Width of the terminal.",
}
