"""Run partitions: in processes of this machine or on a cluster, into one folder."""
