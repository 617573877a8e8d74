"""Run `dreg` as `python -m dreg_client.cli`."""

from dreg_client.cli import program

if __name__ == "__main__":
    program()
