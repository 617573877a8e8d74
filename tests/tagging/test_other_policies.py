"""Clean-up policies of registries, as their documentation describes them, said in a policy: the same tags go."""

import re
from collections.abc import Callable, Iterable

from hypothesis import given
from hypothesis import strategies as st

from dreg_client.tagging.policy import TagPolicy
from tests.tagging.rules import Images, digest, removed

NAMES = st.sampled_from(
    ["latest", "main", "main-1", "main-2", "v1", "v2", "v3-prod", "pr-1", "pr-2", "pr-prod", "2.1-prod"]
)
TAGS = st.dictionaries(NAMES, st.sampled_from("abcdef"), max_size=8)
AGES = st.permutations([1, 2, 5, 13, 15, 40]).map(lambda days: dict(zip("abcdef", days, strict=True)))


def plan(
    rules: str, tags: dict[str, str], ages: dict[str, int], untagged: Iterable[str] = ()
) -> tuple[set[str], set[str]]:
    """Return the tags that the rules of a policy remove, and the images that they delete."""
    policy = TagPolicy.parse(f"[[policy]]\nrepositories = ['oci:x']\n{rules}")
    images = Images(tags, {image: float(age) for image, age in ages.items()}, untagged=untagged)
    planned = images.plan(*policy.policy[0].tag_rules())
    named = {digest(image): image for image in "abcdef"}
    return {*removed(planned)}, {named[each] for each in planned.difference().deleted}


GITLAB = """
[[policy.rules]]
action = "prune"
regex = "(?!(?:v.+|main)$)(?:.*)"   # name_regex_keep, name_regex_delete
exclude = ["latest"]        # never removed
keep-last = 2               # keep_n
older-than = "14d"          # older_than
"""


@given(
    st.dictionaries(NAMES, st.sampled_from("abcdef"), max_size=6).filter(lambda it: len({*it.values()}) == len(it)),
    AGES,
)
def test_gitlab(tags: dict[str, str], ages: dict[str, int]) -> None:
    """`latest` is left out, then what does not match, what is to be kept, the `keep_n` newest, and the recent ones.

    GitLab counts tags, a policy images, so each tag is another image here.
    """
    chosen = [tag for tag in tags if tag != "latest" and not re.fullmatch("v.+|main", tag)]
    found = [tag for tag in sorted(chosen, key=lambda tag: ages[tags[tag]])[2:] if ages[tags[tag]] >= 14]

    assert plan(GITLAB, tags, ages)[0] == {*found}


HARBOR = """
[[policy.rules]]
action = "keep"             # retain the 2 most recently pushed artifacts, tags matching v*
include = ["v*"]
last = 2
[[policy.rules]]
action = "keep"             # retain those pushed within the last 3 days, tags excluding pr-*, with untagged ones
exclude = ["pr-*"]
newer-than = "3d"
untagged = true
[[policy.rules]]
action = "keep"             # retain always, tags matching *-prod
include = ["*-prod"]
[[policy.rules]]
action = "prune"            # what no rule retains is deleted, artifacts with all their tags
include = ["*"]
images = "any"
untagged = true
"""


@given(TAGS, AGES)
def test_harbor(tags: dict[str, str], ages: dict[str, int]) -> None:
    """An artifact is retained with all its tags if any rule retains one of them."""
    untagged = {*"abcdef"} - {*tags.values()}

    def artifacts(matches: Callable[[str], bool]) -> list[str]:
        return sorted({image for tag, image in tags.items() if matches(tag)}, key=lambda image: ages[image])

    kept = {*artifacts(lambda tag: tag.startswith("v"))[:2]}
    kept |= {image for image in artifacts(lambda tag: not tag.startswith("pr-")) if ages[image] < 3}
    kept |= {image for image in untagged if ages[image] < 3}
    kept |= {*artifacts(lambda tag: tag.endswith("-prod"))}

    gone, deleted = plan(HARBOR, tags, ages, untagged)

    assert gone == {tag for tag, image in tags.items() if image not in kept}
    assert deleted == {*"abcdef"} - kept


ECR = """
[[policy.rules]]
action = "prune"            # rulePriority 1: tagged, tagPatternList ["*prod*"], imageCountMoreThan 1
include = ["*prod*"]
keep-last = 1
images = "any"
[[policy.rules]]
action = "keep"             # what matches a rule is not expired by those after it
include = ["*prod*"]
[[policy.rules]]
action = "prune"            # rulePriority 2: untagged, sinceImagePushed, 14 days
exclude = ["*"]
untagged = true
older-than = "14d"
[[policy.rules]]
action = "prune"            # rulePriority 3: tagged, tagPrefixList ["v", "main"]: images with both, 3 days
include = ["v*", "main*"]
images = "each"
older-than = "3d"
"""


@given(TAGS, AGES)
def test_ecr(tags: dict[str, str], ages: dict[str, int]) -> None:
    """Images expire with all their tags; one that a rule matches is not expired by a rule of lower priority."""
    untagged = {*"abcdef"} - {*tags.values()}
    of = {image: [tag for tag in tags if tags[tag] == image] for image in "abcdef"}
    prod = sorted((image for image in of if any("prod" in tag for tag in of[image])), key=lambda image: ages[image])
    expired = {*prod[1:]} | {image for image in untagged if ages[image] >= 14}
    for image in {*"abcdef"} - {*prod}:
        both = any(tag.startswith("v") for tag in of[image]) and any(tag.startswith("main") for tag in of[image])
        expired |= {image} if both and ages[image] >= 3 else set()

    gone, deleted = plan(ECR, tags, ages, untagged)

    assert deleted == expired
    assert gone == {tag for tag, image in tags.items() if image in expired}


GCR_CLEANER = """
[[policy.rules]]
action = "keep"
regex = "v.+"               # tag_keep_any
[[policy.rules]]
action = "prune"            # images without a tag are always considered
regex = "pr-.+|main.*"      # tag_filter_any
images = "any"
untagged = true
older-than = "3d"           # grace
"""


@given(TAGS, AGES)
def test_gcr_cleaner(tags: dict[str, str], ages: dict[str, int]) -> None:
    """An image goes if it has no tag or any tag matches, none is to be kept, and the grace period is over."""
    of = {image: [tag for tag in tags if tags[tag] == image] for image in "abcdef"}
    chosen = {
        image
        for image, names in of.items()
        if (not names or any(re.fullmatch("pr-.+|main.*", tag) for tag in names))
        and not any(re.fullmatch("v.+", tag) for tag in names)
        and ages[image] >= 3
    }

    assert plan(GCR_CLEANER, tags, ages, (image for image in of if not of[image]))[1] == chosen
    every = plan(GCR_CLEANER.replace('"any"', '"all"'), tags, ages)[1]
    assert every == {
        image for image in chosen if of[image] and all(re.fullmatch("pr-.+|main.*", tag) for tag in of[image])
    }
