"""The digest that a name in a registry stands for, and nothing else: no document is read, and no model is built.

Building them takes longer than asking; who wants a digest alone, as `dreg resolve`, does not wait for that.
"""

from contextlib import closing
from typing import Unpack

from dreg_client.conversation.conversation import conversation_with
from dreg_client.protocol import manifests
from dreg_client.protocol.messages import Request, Response
from dreg_client.protocol.options import Options, RegistryOptions
from dreg_client.protocol.plan import run
from dreg_client.protocol.registry_url import RegistryURL
from dreg_client.transport.sending import Sender
from dreg_client.values.digest import Digest
from dreg_client.values.reference import DEFAULT_TAG, Reference


def digest_at(reference: Reference, **options: Unpack[RegistryOptions]) -> Digest:
    """The digest of a tag, as `Repository.resolve` finds it; of a digest, whether it is there.

    Args:
        reference: The name.
        **options: How the registry is talked to, see `Options`.

    Raises:
        NotFoundError: There is no such tag or manifest.
        UnsupportedDigestError: Nothing can be proven by this digest.
        ConfigError: An option names what cannot be used.
    """
    name = manifests.name_of(reference.digest or reference.tag or DEFAULT_TAG)
    chosen = Options(**options)
    base = RegistryURL.parse(reference.registry, plain_http=chosen.plain_http, tls=chosen.speaks_of_tls)
    conversation = conversation_with(base, chosen)
    with closing(Sender(chosen, (base, *conversation.mirrors))) as sender:

        def ask(request: Request) -> Response:
            return run(conversation.ask(request), sender.answer)

        return run(manifests.digest(reference.repository, name), ask)
