"""What a check says to a student."""


class Misconception(AssertionError):
    """What a student's code believes and should not, in words; it never holds an expected value.

    Parameters
    ----------
    text : str
        The whole message: the belief first, the chapter's link last.
    part : str
        What was wrong: "forward", "dx", "dgamma", "dbeta", "inference", "running_var", ...
    belief : str, optional
        Id of the belief in the catalogue; None where none of them explains what was seen.
    hints : sequence of str
        Three levels: which law is broken, which path or quantity, what to change.
    """

    def __init__(self, text: str, *, part: str, belief: str | None = None, hints: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.part = part
        self.belief = belief
        self.hints = hints
