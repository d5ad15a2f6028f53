"""What a site needs to be found and shared: a card for previews, a page for what is not there, a map, launch buttons.

All of it follows `course_addresses` in _config.yml. While that is empty, nothing here names an address: no launch
buttons, no canonical links, no map, and a card without those of its tags that need one.

The stock extensions do not fit: sphinx-sitemap lists only the pages that this build has written, and warns where no
address is set; sphinxext-opengraph describes a page by its first words instead of the description that it states, and
gives it an address without a host.
"""

import json
import os
import re
from html import escape, unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from page_dependencies import PACKAGE
from sphinx.application import Sphinx
from sphinx.config import Config

from bncourse.grading.core.install import pages

CARD = "_static/card.png"
NOTEBOOKS_BRANCH = "notebooks"
"""The branch to which CI pushes the chapters as notebooks: Colab opens only what lies in a repository."""

DESCRIPTION = re.compile(r'<meta content="([^"]*)" name="description"')


class Addresses(NamedTuple):
    """Where the course lives; each is empty while nobody has said so. None ends in a slash."""

    repository: str
    site: str
    hub: str

    @property
    def project(self) -> str:
        """OWNER/NAME on GitHub, or nothing."""
        found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", self.repository)
        return found[1] if found else ""


def addresses(config: Config) -> Addresses:
    """Read the addresses; without one of its own, the site is taken to be the repository's GitHub Pages."""
    said = {name: str(address or "").rstrip("/") for name, address in config["course_addresses"].items()}
    repository = said["repository"].removesuffix(".git")
    site = said["site"] or pages(repository)
    return Addresses(repository, site, said["jupyterhub"] if repository else "")


def take_addresses(app: Sphinx, config: Config) -> None:
    """Tell Sphinx where the site lies."""
    app.bncourse_addresses = addresses(config)  # type: ignore[attr-defined]
    site = app.bncourse_addresses.site  # type: ignore[attr-defined]
    config["html_baseurl"] = f"{site}/" if site else ""


def tags(title: str, words: str, url: str, card: str) -> str:
    """What a service reads that shows a preview; without `url` and `card`, only what needs no address."""
    properties = {
        "og:type": "website",
        "og:site_name": "Batch normalization, by hand",
        "og:title": title,
        "og:description": words,
        "og:url": url,
        "og:image": card,
        "og:image:width": "1200" if card else "",
        "og:image:height": "630" if card else "",
        "og:image:alt": "Four features of different place and width, and the same after batch normalization"
        if card
        else "",
    }
    lines = [f'<meta property="{name}" content="{escape(value)}" />' for name, value in properties.items() if value]
    return "\n".join([*lines, f'<meta name="twitter:card" content="{"summary_large_image" if card else "summary"}" />'])


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give each page with a description its tags."""
    found = DESCRIPTION.search(context.get("metatags") or "")
    if found:
        site = app.bncourse_addresses.site  # type: ignore[attr-defined]
        title = re.sub(r"<[^>]*>", "", context.get("title") or "")
        url, card = (f"{site}/{page}.html", f"{site}/{CARD}") if site else ("", "")
        context["metatags"] += "\n" + tags(unescape(title), unescape(found[1]), url, card)


def launch_buttons(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Offer the page as a notebook, on Colab and on the hub, as far as addresses are known."""
    found: Addresses = app.bncourse_addresses  # type: ignore[attr-defined]
    if "kernelspec" not in app.env.metadata.get(page, {}) or not found.repository:
        return
    buttons = []
    if found.project:
        link = f"https://colab.research.google.com/github/{found.project}/blob/{NOTEBOOKS_BRANCH}/{page}.ipynb"
        buttons.append(button("Colab", link, "_static/images/logo_colab.png"))
    if found.hub:
        name = found.repository.rpartition("/")[2]
        asked = (
            f"repo={quote(found.repository, safe='')}&branch={NOTEBOOKS_BRANCH}&urlpath=lab/tree/{name}/{page}.ipynb"
        )
        link = f"{found.hub}/hub/user-redirect/git-pull?{asked}"
        buttons.append(button("JupyterHub", link, "_static/images/logo_jupyterhub.svg"))
    if buttons:
        context["header_buttons"].append(
            {
                "type": "group",
                "tooltip": "Run this page yourself",
                "icon": "fas fa-rocket",
                "buttons": buttons,
                "label": "launch-buttons",
            }
        )


def button(name: str, url: str, icon: str) -> dict[str, str]:
    """One line of the menu."""
    return {"type": "link", "text": name, "tooltip": f"Open in {name}", "icon": icon, "url": url}


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Write the card, the page for what is not there, the map, the tags of the front door, and the notebooks."""
    if exception is not None or app.builder.format != "html":
        return
    found: Addresses = app.bncourse_addresses  # type: ignore[attr-defined]
    out = Path(app.outdir)
    draw_card(app, out / CARD)
    template = (Path(__file__).parent / "missing.html").read_text(encoding="utf8")
    (out / "404.html").write_text(template.replace("SITE", f"{found.site}/" if found.site else ""), encoding="utf8")
    front_door(out, app.config.root_doc)
    forward(out)
    sitemap = out / "sitemap.xml"
    sitemap.unlink(missing_ok=True)
    if found.site:
        places = "".join(f"<url><loc>{found.site}/{page}.html</loc></url>\n" for page in sorted(app.env.found_docs))
        start = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        sitemap.write_text(f"{start}{places}</urlset>\n", encoding="utf8")
    if found.repository:
        write_notebooks(app, found)


def front_door(out: Path, first: str) -> None:
    """Lead from the site's own address to the first page; a preview of that address shows the same tags here."""
    text = (out / f"{first}.html").read_text(encoding="utf8")
    kept = re.findall(r'<meta [^>]*(?:name="description"|property="og:|name="twitter:)[^>]*>', text)
    title = re.search(r"<title>.*?</title>", text, re.DOTALL)
    icon = re.search(r'href="[./]*(_static/favicon[^"]*)"', text)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Refresh" content="0; url={first}.html">',
        title[0] if title else "",
        f'<link rel="icon" href="{icon[1]}">' if icon else "",
        *kept,
        f'<p><a href="{first}.html">To the first page</a></p>',
    ]
    (out / "index.html").write_text("\n".join(line for line in lines if line) + "\n</html>\n", encoding="utf8")


MOVED = {
    "book/beyond/batch_renormalization": "book/beyond/layer_norm",
}
"""Where pages of earlier editions stand now, so that a link to one of them still leads there."""


def forward(out: Path) -> None:
    """Leave at the address of each page that has moved a page that leads to its new place."""
    for old, new in MOVED.items():
        if not (out / f"{new}.html").exists():
            continue  # a site with some of the pages only
        place = out / f"{old}.html"
        place.parent.mkdir(parents=True, exist_ok=True)
        target = os.path.relpath(out / f"{new}.html", place.parent)
        lines = [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            '<meta name="robots" content="noindex">',
            f'<meta http-equiv="Refresh" content="0; url={target}">',
            "<title>This page has moved</title>",
            f'<p>This page has moved: <a href="{target}">to its new place</a></p>',
            "</html>",
        ]
        place.write_text("\n".join(lines) + "\n", encoding="utf8")


def draw_card(app: Sphinx, path: Path) -> None:
    """Draw the card, where it is not there as it would be drawn now."""
    source = PACKAGE / "plots" / "card.py"
    if not path.exists() or path.stat().st_mtime < source.stat().st_mtime:
        from bncourse.plots import card

        words = "Every claim is executed, and every wrong belief has a name."
        card.social_card(app.config.html_title or app.config.project, words).savefig(path)


def write_notebooks(app: Sphinx, found: Addresses) -> None:
    """Write the pages with cells as notebooks without outputs, with a first cell that installs what they need."""
    built, target = Path(app.outdir).parent / "jupyter_execute", Path(app.outdir).parent / "notebooks"
    install = f'%pip install --quiet "bncourse[book] @ git+{found.repository}"'
    for path in sorted(built.rglob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf8"))
        first = {"cell_type": "code", "id": "install", "metadata": {}, "source": install}
        notebook["cells"].insert(0, first)
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
            else:
                page = path.relative_to(built).parent.as_posix()
                cell["source"] = plain("".join(cell["source"]), f"{found.site}/{page}" if found.site else "")
        place = target / path.relative_to(built)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf8")


def plain(text: str, folder: str) -> str:
    """MyST as a notebook elsewhere can show it: boxes become bold titles, and links lead to the site."""
    text = re.sub(
        r"^:{3,}\{[\w-]+\} *(.*)\n(?::\w[\w-]*:.*\n)*",
        lambda box: f"**{box[1]}**\n\n" if box[1] else "",
        text,
        flags=re.M,
    )
    text = re.sub(r"^:{3,}$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\{[\w:]+\}`([^`<]*?)(?: *<[^`]*>)?`", r"\1", text)
    return re.sub(r"\]\((?!\w+:)([^)#]+)\.md(#[^)]*)?\)", rf"]({folder}/\1.html\2)", text) if folder else text


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all this to Sphinx."""
    app.add_config_value("course_addresses", {"repository": "", "site": "", "jupyterhub": ""}, "html")
    app.connect("config-inited", take_addresses, priority=100)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", launch_buttons, priority=900)
    app.connect("build-finished", finish_site, priority=900)  # after the table of contents has made its front door
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
