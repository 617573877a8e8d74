"""The options of `copy` and `sync` that choose what of an image to copy."""

from typing import Final

import click

from dreg_client.cli.arguments import PlatformType, parse_platform

platform_option: Final = click.option(
    "--platform",
    "platforms",
    metavar="PLATFORM",
    multiple=True,
    type=PlatformType("platform", parse_platform),
    help="Copy only this platform: OS/ARCH[/VARIANT], or local. Can be repeated; then new indexes are written.",
)
referrers_option: Final = click.option(
    "--referrers",
    is_flag=True,
    help="Also copy signatures, SBOMs, attestations and other referrers, including digest tags (sha256-HEX.sig).",
)
