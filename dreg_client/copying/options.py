"""The options of a copy between two registries."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from dreg_client.protocol.options import RegistryOptions
from dreg_client.values.platform import Platform


@dataclass(frozen=True, slots=True)
class CopyFlags:
    """What a copy does.

    Attributes:
        referrers: Whether to also copy the referrers of all manifests.
        no_clobber: Whether to leave tags of other manifests alone; one that appears meanwhile raises ConflictError.
        dry_run: Whether to write nothing.
        keeps_going: Whether to go on with what does not depend on something that failed.
    """

    referrers: bool = False
    no_clobber: bool = False
    dry_run: bool = False
    keeps_going: bool = False


class CopyOptions(RegistryOptions, total=False):
    """The keyword arguments of `copy` for registries: those of `Registry`, for both ends or for one of them."""

    source_options: RegistryOptions
    destination_options: RegistryOptions


def options_of_ends(given: CopyOptions) -> tuple[RegistryOptions, RegistryOptions]:
    """Return the options for the source and for the destination, which is never read from a mirror."""
    common = dict(given)
    read, write = (common.pop(name, {}) for name in ("source_options", "destination_options"))
    of_source = {**common, **cast("RegistryOptions", read)}
    common.pop("mirrors", None)
    return cast("RegistryOptions", of_source), cast("RegistryOptions", {**common, **cast("RegistryOptions", write)})


def platforms_of(given: Iterable[Platform | str] | None) -> tuple[Platform, ...]:
    """Return the platforms to copy; none stand for all.

    Raises:
        TypeError: A single str was given.
        ValueError: The list is empty.
    """
    if isinstance(given, str):
        message = f"platforms= must be a list of platforms, such as [{given!r}], not a str"
        raise TypeError(message)
    found = [each if isinstance(each, Platform) else Platform.from_name(each) for each in given or ()]
    if given is not None and not found:
        raise ValueError("platforms= is empty; omit it to copy all platforms")
    return tuple(dict.fromkeys(found))
