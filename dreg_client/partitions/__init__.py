"""Validate documents in partitions: files of many documents, read one by one, on one machine or on a cluster."""
