"""Generated from `dreg_client/_async` by `tools/generate_sync.py`, but for `_compat.py` and `_threads.py`."""
