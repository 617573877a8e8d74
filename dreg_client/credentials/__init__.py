"""Credentials as docker and podman keep them: their files, their programs, the environment."""
