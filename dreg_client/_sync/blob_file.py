# Generated from dreg_client/_async/blob_file.py by tools/generate_sync.py. Do not edit.
"""Write a blob to a file of a layout, or of the directory for the blobs of an archive."""

from dreg_client._sync._compat import run_in_thread
from dreg_client._sync.ports import Content
from dreg_client._sync.write_behind import WriteBehind
from dreg_client.files.layout_writer import NewBlob
from dreg_client.files.rooted import DirectoryFiles
from dreg_client.models.descriptor import Descriptor
from dreg_client.protocol.content import verifiable
from dreg_client.values.media_type import OCTET_STREAM


def write_blob(files: DirectoryFiles, content: Content) -> Descriptor:
    """Write a blob under its digest, replacing a file of that name; return its descriptor.

    Raises:
        DigestMismatchError: The bytes do not match the digest. Nothing was written.
        SizeMismatchError: The number of bytes is not the stated one. Nothing was written.
    """
    digest = verifiable(content.digest) if content.digest else None
    blob = NewBlob(files, digest, content.size)
    try:
        run_in_thread(blob.open)
        with content.chunks() as chunks, WriteBehind(blob.write, blob.hash) as behind:
            for chunk in chunks:
                if blob.add(chunk):
                    behind.put(blob.take_block())
            behind.finish()
        found = run_in_thread(blob.finish)
    finally:
        blob.close()
    return Descriptor(mediaType=OCTET_STREAM, digest=found, size=blob.size)
