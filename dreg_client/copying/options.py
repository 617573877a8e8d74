"""The options of a copy between two registries."""

from typing import cast

from dreg_client.protocol.options import RegistryOptions


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
