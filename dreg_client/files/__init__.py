"""Files on disk and in archives: safe paths, tar archives, atomic writes, partial downloads."""
