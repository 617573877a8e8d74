"""Run `dreg` as `python -m dreg_client.cli`."""

from dreg_client.cli import main

if __name__ == "__main__":
    main()
