"""The conventions that are known by name: what each course means by its settings.

A convention is data. How its functions are called is found from their signatures; see `functions` and `classes`.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Convention:
    """What a course means by the words that others mean otherwise."""

    name: str
    """What `--as` takes."""
    title: str
    momentum: Literal["new", "old"]
    """Which value it weighs in the moving average."""
    running_variance: Literal["unbiased", "biased"]
    channels: Literal["first", "last"] = "first"
    """Where the channels of feature maps lie."""

    @property
    def is_course(self) -> bool:
        """Whether it says what momentum and running_var mean; code of no known course may mean either."""
        return self.name not in ("jax", "deeplearning-ai", "class", "functions")

    def differences(self, momentum: str, variance: str, *, declared: bool = True) -> list[str]:
        """Say what a file means otherwise than PyTorch, or than its own course.

        Parameters
        ----------
        momentum : {"new", "old"}
            Which value it weighs in the file.
        variance : {"unbiased", "biased"}
            Which one the file averages; "" where that is not known.
        declared : bool
            Whether the course was named; a file in the form of a library, or of a book whose editions differ, may be
            of another one.
        """
        of_course = self.is_course and (declared or self.name not in ("pytorch", "d2l"))
        said = []
        for what, verb, own, course, torch in (
            ("momentum", "weighs the {} value", momentum, self.momentum, "new"),
            ("running_var", "averages the {} variance", variance, self.running_variance, "unbiased"),
        ):
            if own == "":
                continue
            if of_course and own != course:
                said.append(f"Your {what} {verb.format(own)}; your course's {verb.format(course)}.")
            elif own != torch:
                whose = "In your course" if of_course else "In your code"
                said.append(f"{whose} {what} {verb.format(own)}; PyTorch's {verb.format(torch)}.")
        return said


CONVENTIONS: dict[str, Convention] = {
    convention.name: convention
    for convention in (
        Convention("bncourse", "functions of this course: forward(x, gamma, beta, eps)", "new", "unbiased"),
        Convention("cs231n", "functions with a dict of settings (CS231n): mode, eps, momentum", "old", "biased"),
        Convention("cmu", "class with forward(Z, eval) and backward(dLdBZ) (CMU 11-785)", "old", "biased"),
        Convention(
            "numpy-ml", "class with forward(X, retain_derived) and backward(dLdy) (numpy-ml)", "old", "biased", "last"
        ),
        Convention("d2l", "function with moving statistics and a flag (Dive into Deep Learning)", "new", "biased"),
        Convention("pytorch", "torch.nn.Module; the gradient by autograd", "new", "unbiased"),
        Convention("keras", "class with moving_mean and training= (Keras)", "old", "biased", "last"),
        Convention("flax", "class with use_running_average (Flax)", "old", "biased", "last"),
        Convention("jax", "functions of params and state, which return the new state (JAX)", "old", "biased", "last"),
        Convention("deeplearning-ai", 'functions of a dict of parameters with "gamma" + str(l)', "old", "biased"),
        Convention("class", "class with forward and backward", "new", "biased"),
        Convention("functions", "functions of x, gamma and beta", "new", "biased"),
    )
}
"""By name; the last four are for code of no course that we know."""
