"""The protocol of registries: requests, what their responses mean, and the decision what to do next, without I/O."""
