"""Find partitions, and read the documents in them."""
