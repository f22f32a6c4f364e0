"""Puts the pages that lie beside what they describe into the site, and makes the links between them fit there."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
BESIDE = (
    *("models/README.md", "models/benchmark.md", "models/benchmark-speech.md", "models/benchmark.png"),
    *("data/README.md", "CHANGELOG.md"),
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages; the site's root is docs/."""
    for name in BESIDE:
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """A page of docs/ is one folder nearer to them in the site, and they to it."""
    for folder in ("models/", "data/"):
        markdown = markdown.replace(f"](../{folder}", f"]({folder}").replace(
            f"](../../{folder}", f"](../{folder}"
        )
    return markdown.replace("](../docs/", "](../")
