"""`python -m dreg_client.cli` is `dreg`."""

from dreg_client.cli import main

if __name__ == "__main__":
    main()
