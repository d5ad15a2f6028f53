"""The stand-in for IPython's shell: what it does not know does nothing."""

from bncourse.grading.sandbox.inside.shell import Shell


def test_unknown_attributes_of_the_shell_do_nothing_at_any_depth() -> None:
    shell = Shell(lambda code: None)
    assert shell.enable_gui("agg") is None
    assert shell.events.register("post_execute", print) is None
    assert not hasattr(shell.events, "__array__")
