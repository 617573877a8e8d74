"""The source of all I/O, written once as async code. `tools/generate_sync.py` generates `dreg_client/_sync` from it."""
