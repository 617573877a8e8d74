"""Files on disk and in archives: rooted paths, tar archives, atomic writes, partial downloads."""
