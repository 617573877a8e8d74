"""The search leads to a page that answers, for the words that people use."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page

Open = Callable[..., Any]
ANSWERS = {
    "install": {""},
    "authentication": {"guides/credentials/", "reference/registries/"},
    "token": {"guides/credentials/", "reference/registries/"},
    "timeout": {"reference/registries/", "guides/timeouts-and-retries/"},
    "retry": {"reference/registries/", "guides/timeouts-and-retries/"},
    "exit code": {"reference/errors/", "reference/command-line/", "guides/timeouts-and-retries/"},
    "list tags": {"guides/read-a-registry/", "reference/command-line/", "reference/registries/"},
    "copy": {"guides/copy-images/"},
    "push": {"guides/push-from-python/"},
    "upload": {"guides/push-from-python/"},
    "sync": {"guides/mirror-a-registry/", "reference/copies/"},
    "archive": {"guides/move-images-without-a-registry/"},
    "docker load": {"guides/move-images-without-a-registry/"},
    "proxy": {"guides/credentials/"},
    "mirror": {"guides/mirror-a-registry/", "guides/credentials/"},
    "certificate": {"guides/credentials/"},
    "environment variable": {"reference/registries/", "guides/credentials/"},
    "cache": {"reference/registries/", "guides/credentials/"},
    "rate limit": {"reference/registries/", "guides/timeouts-and-retries/"},
    "digest": {"reference/names/", "guides/read-a-registry/"},
    "multi-arch": {"guides/choose-a-platform/", "reference/images/"},
    "platform": {"guides/choose-a-platform/"},
    "SBOM": {"reference/images/", "guides/choose-a-platform/"},
    "attestations": {"reference/images/", "guides/choose-a-platform/"},
    "pre-commit": {"guides/validate-in-ci/"},
    "GitHub Actions": {"guides/validate-in-ci/"},
    "async": {"guides/read-a-registry/", "reference/registries/", "guides/push-from-python/"},
    "pagination": {"reference/registries/", "guides/read-a-registry/"},
    "logging": {"reference/registries/", "guides/credentials/", "guides/timeouts-and-retries/"},
    "get_manifest": {"reference/stores/", "reference/registries/"},
}
FIRST = 3


def first_pages(page: Page, words: str) -> list[str]:
    """Return the paths of the first pages that the search lists for some words."""
    box, results = page.locator("input.md-search__input"), page.locator(".md-search-result__item")
    box.click()
    box.fill("")
    box.press("End")  # the search starts when a key is released
    page.wait_for_function("document.querySelectorAll('.md-search-result__item').length === 0")
    box.fill(words)
    box.press("End")
    results.first.wait_for()
    links = (result.locator("a").first.get_attribute("href") or "" for result in results.all()[:FIRST])
    return [urlsplit(link).path.removeprefix("/") for link in links]


def test_one_of_the_first_results_answers(address: str, visit: Open) -> None:
    page = visit(address, until="networkidle").page
    found = {words: first_pages(page, words) for words in ANSWERS}

    assert {words: pages for words, pages in found.items() if ANSWERS[words].isdisjoint(pages)} == {}
