"""Sessions for developers: each stands on the repository's pinned environment files."""

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True


def install(session: nox.Session) -> None:
    """Install the pinned packages and bncourse itself."""
    session.install("-r", "requirements.txt")
    session.install("--no-deps", "--no-build-isolation", "-e", ".")


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and the direction of imports."""
    install(session)
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strict."""
    install(session)
    session.run("mypy")


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the whole suite."""
    install(session)
    session.run("pytest", "-n", "2", "--dist", "loadgroup", *session.posargs)


@nox.session
def shapes(session: nox.Session) -> None:
    """Run the package's tests with every annotated shape checked at run time."""
    install(session)
    # not the tests of refusals: the checker speaks before our own messages can
    packages = "--jaxtyping-packages=bncourse.numpy_bn,bncourse.torch_bn,beartype.beartype"
    session.run(
        "pytest",
        "tests/numpy_bn",
        "tests/torch_bn",
        "-k",
        "not refuse and not compilation",
        packages,
        env={"BNCOURSE_SHAPES": "1"},
    )


@nox.session
def book(session: nox.Session) -> None:
    """Build the book with warnings as errors."""
    install(session)
    session.run("python", "-m", "tools.book")
