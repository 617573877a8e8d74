"""A layout that lists a referrer in `index.json` and under the referrers tag has one referrer."""

from pathlib import Path

from dreg_client import Layout, OciIndex, OciManifest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


def test_a_referrer_that_is_listed_twice_is_returned_once(tmp_path: Path) -> None:
    with Layout.create(tmp_path / "layout") as layout:
        config = layout.push_blob(b"{}", media_type=EMPTY)
        common = {"schema_version": 2, "media_type": MANIFEST, "config": config, "layers": [config]}
        subject = layout.put_manifest(OciManifest.build(**common, artifact_type="a/image"), "1.4")
        referrer = layout.put_manifest(OciManifest.build(**common, artifact_type="a/sbom", subject=subject))
        entry = referrer.model_dump(mode="json", by_alias=True, exclude_none=True) | {"annotations": {"a": "b"}}
        index = "application/vnd.oci.image.index.v1+json"
        listed = OciIndex.build(schema_version=2, media_type=index, manifests=[entry])
        layout.put_manifest(listed, subject.digest.replace(":", "-"))

        assert [each.digest for each in layout.referrers(subject.digest)] == [referrer.digest]
