"""Credentials in the files of docker and podman, in credential helpers, and in environment variables."""
