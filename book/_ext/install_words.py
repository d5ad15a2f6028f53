"""How to install the package: the words on every page follow one setting, `package_index` in _config.yml.

While no index has the package, it is installed from the course's own site, which carries its wheel: by its address
where `course_addresses` says where the site lies, and otherwise from the downloaded file.
"""

from typing import Any

from docutils import nodes
from publishing import addresses
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from bncourse.grading.core.install import PLACE, WHEEL, Source, command


def source(config: Any) -> Source:
    """Where the package comes from, as the settings say."""
    return Source(str(config["package_index"] or ""), addresses(config).site)


class Install(SphinxDirective):
    """`{install} cli jupyterlab` shows the command that installs the package with an extra (`-`: none), and others."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Write the command, and where the wheel is when it has to be downloaded first."""
        extras, _, others = (self.arguments[0] if self.arguments else "-").partition(" ")
        place = source(self.config)
        lines = ["```console", f"$ {command(place, extras.strip('-'))} {others}".rstrip(), "```"]
        if place.is_file:
            up = "../" * self.env.docname.count("/")
            link = f'<a href="{up}{PLACE}" download="{WHEEL}">{WHEEL}</a>'
            lines = [f"Download {link}, and in the folder where it lies type:", "", *lines]
        return self.parse_text_to_nodes("\n".join(lines))


class InstallRole(SphinxRole):
    """The same command in a line of text; what stands before `pip` (as `%` on Colab) is written before the role."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Write the command as code."""
        return [nodes.literal("", command(source(self.config), self.text.strip("-")))], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect this to Sphinx."""
    app.add_config_value("package_index", "", "env")
    app.add_directive("install", Install)
    app.add_role("install", InstallRole())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
