"""Decide which manifests may be deleted, what each deletion takes along, and what needs the others."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from dreg_client.copying.digest_tags import DigestTag, digest_tag
from dreg_client.tagging.facts import ManifestFacts, blobs_of, total_size
from dreg_client.values.digest import Digest


@dataclass(frozen=True, slots=True)
class KnownManifests:
    """What was read of a repository.

    Attributes:
        manifests: All manifests and indexes that are known, at any depth.
        tags: The tags that stay, with digest tags.
        referrers: The referrers of manifests, as far as the store was asked for them.
        untagged: The manifests without a tag that stay. They protect what they contain.
    """

    manifests: Mapping[Digest, ManifestFacts]
    tags: Mapping[str, Digest]
    referrers: Mapping[Digest, Collection[Digest]] = field(default_factory=dict[Digest, Collection[Digest]])
    untagged: Collection[Digest] = ()


@dataclass(frozen=True, slots=True)
class Deletion:
    """A manifest that may be deleted, and what goes with it.

    Attributes:
        digest: The digest of the manifest or index.
        platforms: The manifests in the index, at any depth, that nothing else needs; parents first.
        referrers: Its referrers and those of its platforms, at any depth; after what they refer to. Those that have a
            deletion of their own are among them; their size is not.
        digest_tags: The digest tags about all these manifests.
        size: The size of the manifests and blobs in bytes, each counted once; None if one of them was not read.
        shared_size: The part of `size` that other manifests of the repository also have.
    """

    digest: Digest
    platforms: tuple[Digest, ...] = ()
    referrers: tuple[Digest, ...] = ()
    digest_tags: tuple[str, ...] = ()
    size: int | None = None
    shared_size: int | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What may be deleted.

    Attributes:
        deletions: What may be deleted: indexes before what they contain, and referrers with a deletion of their own
            before their subjects.
        needed: What else must stay, and what needs it, such as `the index 1.4`.
    """

    deletions: tuple[Deletion, ...]
    needed: Mapping[Digest, str]


def extent(known: KnownManifests, deleted: Iterable[Digest]) -> set[Digest]:
    """Return everything that may go with some manifests: what they contain, and what refers to any of it.

    Call `referrers` of the store for each of these that `known.referrers` does not have, and repeat this until there
    is none.
    """
    return set(_Graph(known).closure(deleted))


def referrers_of(known: KnownManifests, digests: Iterable[Digest]) -> list[Digest]:
    """Return the referrers of some manifests, and theirs, as far as they are known."""
    graph, found = _Graph(known), dict.fromkeys(digests)
    given, ahead = len(found), [*found]
    while ahead:
        new = [each for each in graph.referrers(ahead.pop()) if each not in found]
        found |= dict.fromkeys(new)
        ahead += new
    return [*found][given:]


def decide(known: KnownManifests, deleted: Collection[Digest]) -> Needs:
    """Decide what may be deleted.

    Args:
        known: What was read. All tags that stay, everything in their indexes, and everything in the `extent` of what is
            to be deleted must be known.
        deleted: The manifests to delete.

    Examples:
        >>> index, image = Digest("sha256:" + 64 * "0"), Digest("sha256:" + 64 * "1")
        >>> facts = ManifestFacts(digest=index, media_type="", children=(image,))
        >>> [*decide(KnownManifests({index: facts}, tags={"1.4": index}), [image]).needed.values()]
        ['the index 1.4']
        >>> decide(KnownManifests({index: facts}, tags={}), [index]).deletions[0].platforms == (image,)
        True
    """
    return _Decision(known, deleted).needs()


class _Graph:
    """Manifests, and what leads from one to another."""

    def __init__(self, known: KnownManifests) -> None:
        self.manifests = known.manifests
        self._referrers: dict[Digest, dict[Digest, None]] = {}
        for digest, found in known.referrers.items():
            self._referrers.setdefault(digest, {}).update(dict.fromkeys(found))
        for facts in known.manifests.values():
            if facts.subject is not None:
                self._referrers.setdefault(facts.subject, {})[facts.digest] = None

    def children(self, digest: Digest) -> tuple[Digest, ...]:
        facts = self.manifests.get(digest)
        return facts.children if facts else ()

    def subject(self, digest: Digest) -> Digest | None:
        facts = self.manifests.get(digest)
        return facts.subject if facts else None

    def referrers(self, digest: Digest) -> Iterable[Digest]:
        return self._referrers.get(digest, ())

    def around(self, digest: Digest) -> Iterable[Digest]:
        """Return what goes with a manifest: what it contains, and what refers to it."""
        return (*self.children(digest), *self.referrers(digest))

    def named_by(self, digest: Digest) -> Iterable[Digest]:
        """Return what a manifest names: what it contains, and its subject."""
        subject = self.subject(digest)
        return self.children(digest) if subject is None else (*self.children(digest), subject)

    def closure(self, digests: Iterable[Digest], without: Collection[Digest] = ()) -> dict[Digest, None]:
        """Return manifests with all that they contain and that refers to them, except for some manifests."""
        found = dict.fromkeys(digests)
        ahead = [*found]
        while ahead:
            digest = ahead.pop()
            for below in self.around(digest):
                if below not in found and below not in without:
                    found[below] = None
                    ahead.append(below)
        return found


class _Extent:
    """All that may go with some manifests.

    Attributes:
        graph: All manifests.
        about: The digest tags, by the manifest that they are about.
        near: The manifests, what they contain, and what refers to any of it.
        all: The same, and the manifests of digest tags about it, with what goes with these.
    """

    def __init__(self, known: KnownManifests, deleted: Iterable[Digest]) -> None:
        self.graph, self._tags = _Graph(known), known.tags
        self.about: dict[Digest, list[DigestTag]] = {}
        for tag in known.tags:
            if (found := digest_tag(tag)) is not None:
                self.about.setdefault(Digest(found.subject), []).append(found)
        self.near = ahead = self.graph.closure(deleted)
        self.all = {**self.near}
        while ahead:
            named = [known.tags[tag] for tag in self.digest_tags(ahead)]
            ahead = self.graph.closure((digest for digest in named if digest not in self.all), self.all)
            self.all |= ahead

    def digest_tags(self, digests: Iterable[Digest]) -> dict[str, None]:
        """Return the digest tags about manifests, and those about the manifests of these tags."""
        found: dict[str, None] = {}
        ahead = [*digests]
        for digest in ahead:
            names = [tag.name for tag in self.about.get(digest, ()) if tag.name not in found]
            found |= dict.fromkeys(names)
            ahead += [self._tags[name] for name in names]
        return found


class _Decision:
    """What stays, and therefore what may be deleted."""

    def __init__(self, known: KnownManifests, deleted: Collection[Digest]) -> None:
        self._known, self._deleted = known, dict.fromkeys(deleted)
        self._extent = _Extent(known, self._deleted)
        self._graph = self._extent.graph
        self._labels = {digest: tag for tag, digest in known.tags.items()}
        self._staying: dict[Digest, str] = {}
        self._gone: frozenset[Digest] = frozenset()

    def needs(self) -> Needs:
        """Return what may be deleted."""
        self._stay()
        needed = {digest: self._why(digest) for digest in self._deleted if digest in self._staying}
        gone = self._ordered([digest for digest in self._deleted if digest not in needed], self._graph.named_by)
        self._gone = frozenset(gone)
        taken = self._shared_out(gone)
        sizes = _Sizes(self._known.manifests)
        return Needs(tuple(self._deletion(digest, taken[digest], sizes) for digest in gone), needed)

    def _why(self, digest: Digest) -> str:
        """Return what needs a manifest: its own tag, or else what was found first."""
        label = self._labels.get(digest)
        return self._staying[digest] if label is None or digest_tag(label) else f"the tag {label}"

    def _stay(self) -> None:
        """Find everything that must stay, and why."""
        orphans: list[DigestTag] = []
        for tag, digest in self._known.tags.items():
            if (about := digest_tag(tag)) is None:
                self._add(digest, f"the tag {tag}")
            elif about.subject not in self._extent.all:
                orphans.append(about)
        for digest in self._known.untagged:
            if digest not in self._extent.near:
                self._add(digest, f"{digest.short}, which has no tag")
        for about in orphans:  # last: a list of referrers needs less than an index
            self._add(self._known.tags[about.name], f"the tag {about.name}", is_list=about.is_referrers_tag)

    def _add(self, digest: Digest, why: str, *, is_list: bool = False) -> None:
        """Keep a manifest, and what it needs. A list of referrers does not need those that it lists."""
        ahead = [(digest, why, is_list)]
        while ahead:
            digest, why, is_list = ahead.pop()
            if digest in self._staying:
                continue
            self._staying[digest] = why
            label = self._labels.get(digest) or digest.short
            children = self._graph.children(digest)
            ahead += [(each, f"the index {label}", False) for each in self._spared(children, only=is_list)]
            if (subject := self._graph.subject(digest)) is not None:
                ahead.append((subject, f"the referrer {label}", False))
            referrers = self._spared(self._graph.referrers(digest), only=True)
            ahead += [(each, f"its subject {label}", False) for each in referrers]
            # A digest tag stays with its subject.
            about = self._extent.about.get(digest, ())
            ahead += [(self._known.tags[tag.name], f"the tag {tag.name}", tag.is_referrers_tag) for tag in about]

    def _spared(self, digests: Iterable[Digest], *, only: bool) -> list[Digest]:
        """Return some manifests; with `only`, without those that are to be deleted."""
        return [each for each in digests if not (only and each in self._deleted)]

    def _ordered(self, gone: list[Digest], below: Callable[[Digest], Iterable[Digest]]) -> list[Digest]:
        """Return manifests, each before those that are below it, at any depth."""
        among = frozenset(gone)
        found: dict[Digest, None] = {}  # in reverse: what is below comes first
        ahead = [(digest, False) for digest in gone]
        seen = set[Digest]()
        while ahead:
            digest, is_done = ahead.pop()
            if is_done:
                found[digest] = None
            elif digest not in seen:
                seen.add(digest)
                ahead += [(digest, True), *((each, False) for each in below(digest) if each in self._extent.all)]
        return [digest for digest in reversed(found) if digest in among]

    def _shared_out(self, gone: list[Digest]) -> dict[Digest, list[Digest]]:
        """Return what goes with each manifest. What several of them contain goes with the last one."""
        owners: dict[Digest, Digest] = {}
        others = {*self._staying, *gone}
        for digest in gone:
            below = self._graph.closure([digest], others)
            owners |= dict.fromkeys((each for each in below if each != digest), digest)
        taken: dict[Digest, list[Digest]] = {digest: [] for digest in gone}
        for digest, owner in owners.items():
            taken[owner].append(digest)
        return taken

    def _deletion(self, digest: Digest, taken: list[Digest], sizes: "_Sizes") -> Deletion:
        inside = self._inside(digest, frozenset(taken))
        after = self._ordered([each for each in taken if each not in inside], self._graph.around)
        whole = [digest, *inside, *after]
        tags = self._extent.digest_tags(whole)
        size, shared = sizes.of([*whole, *(self._known.tags[tag] for tag in tags)])
        others = dict.fromkeys(each for one in whole for each in self._graph.referrers(one) if each in self._gone)
        referrers = dict.fromkeys([*after, *(each for each in others if each not in whole)])
        return Deletion(digest, tuple(inside), tuple(referrers), tuple(tags), size, shared)

    def _inside(self, digest: Digest, taken: Collection[Digest]) -> dict[Digest, None]:
        """Return what goes along because it is in an index, at any depth; parents first."""
        found: dict[Digest, None] = {}
        ahead = [*self._graph.children(digest)]
        for each in ahead:
            if each in taken and each not in found:
                found[each] = None
                ahead += self._graph.children(each)
        return dict.fromkeys(self._ordered([*found], self._graph.children))


class _Sizes:
    """Sizes of groups of manifests."""

    def __init__(self, manifests: Mapping[Digest, ManifestFacts]) -> None:
        self._manifests = manifests
        self._users = Counter(blob for facts in manifests.values() for blob in {blob for blob, _ in facts.blobs})

    def of(self, digests: Iterable[Digest]) -> tuple[int | None, int | None]:
        """Return the size of manifests and their blobs, and the part of it that other manifests also have."""
        facts = [self._manifests.get(digest) for digest in dict.fromkeys(digests)]
        found = [each for each in facts if each is not None]
        size = total_size(found) if len(found) == len(facts) else None
        if size is None:
            return None, None
        own = Counter(blob for each in found for blob in {blob for blob, _ in each.blobs})
        return size, sum(octets for blob, octets in blobs_of(found).items() if self._users[blob] > own[blob])
