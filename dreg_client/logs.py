"""Our logger. Nothing secret is handed to it: URLs are without their query, headers are not logged at all."""

import logging
from typing import Final

log: Final = logging.getLogger("dreg_client")
log.addHandler(logging.NullHandler())  # whoever wants to hear of it says so
