"""How to install the package: the words on every page follow one setting, `package_index` in _config.yml.

While no index has the package, it is installed from the course's own site, which carries its wheel: by its address
where `course_addresses` says where the site lies, and otherwise from the downloaded file.
"""

from typing import Any

from docutils import nodes
from publishing import addresses
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

import bncourse

WHEEL = f"bncourse-{bncourse.__version__}-py3-none-any.whl"
PLACE = f"_static/wheels/{WHEEL}"
"""Where the wheel lies in the site."""


def target(config: Any, extras: str) -> str:
    """What stands behind `pip install` for the package with these extras.

    >>> from types import SimpleNamespace as Config
    >>> nowhere = {"repository": "", "site": "", "jupyterhub": ""}
    >>> target({"package_index": "PyPI", "course_addresses": nowhere}, "cli")
    "'bncourse[cli]'"
    >>> target({"package_index": "PyPI", "course_addresses": nowhere}, "")
    'bncourse'
    """
    wanted = f"bncourse[{extras}]" if extras else "bncourse"
    site = addresses(config).site
    if config["package_index"]:
        return f"'{wanted}'" if extras else wanted
    if site:
        return f"'{wanted} @ {site}/{PLACE}'"
    return f"'./{WHEEL}[{extras}]'" if extras else f"./{WHEEL}"


class Install(SphinxDirective):
    """`{install} cli jupyterlab` shows the command that installs the package with an extra (`-`: none), and others."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Write the command, and where the wheel is when it has to be downloaded first."""
        extras, _, others = (self.arguments[0] if self.arguments else "-").partition(" ")
        command = f"$ pip install {target(self.config, extras.strip('-'))} {others}".rstrip()
        lines = ["```console", command, "```"]
        if not self.config["package_index"] and not addresses(self.config).site:
            up = "../" * self.env.docname.count("/")
            link = f'<a href="{up}{PLACE}" download="{WHEEL}">{WHEEL}</a>'
            lines = [f"Download {link}, and in the folder where it lies type:", "", *lines]
        return self.parse_text_to_nodes("\n".join(lines))


class InstallRole(SphinxRole):
    """The same command in a line of text; what stands before `pip` (as `%` on Colab) is written before the role."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Write the command as code."""
        return [nodes.literal("", f"pip install {target(self.config, self.text.strip('-'))}")], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this to Sphinx."""
    app.add_config_value("package_index", "", "env")
    app.add_directive("install", Install)
    app.add_role("install", InstallRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
