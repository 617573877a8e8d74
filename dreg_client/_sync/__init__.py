"""Generated from `dreg_client/_async` by `tools/generate_sync.py`; only `_compat.py` is written by hand."""
