"""The protocol of registries: requests, what their responses mean, and what to do next; without any I/O."""
