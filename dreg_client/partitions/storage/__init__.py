"""The storage of a registry in partitions."""
