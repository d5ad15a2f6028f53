"""Tensors of a student's PyTorch code in; gradients out, taken in the worker: only cotangents cross the border.

A tensor that arrives and wants gradients becomes the result of a function of the tensors that were handed over.
Differentiating it here sends the cotangent there, and brings the gradients back.
"""

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from bncourse.grading.oracle.connection import Connection


class _FromStudent(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, connection: "Connection", values: Any, number: int, *leaves: Any) -> Any:
        ctx.connection, ctx.number, ctx.leaves = connection, number, [leaf.shape for leaf in leaves]
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> tuple[Any, ...]:
        gradients = ctx.connection.request("pull", ctx.number, cotangents[0])[1]
        if type(gradients) is not list or len(gradients) > len(ctx.leaves):
            raise TypeError("the student's gradients have another form than the inputs")
        gradients += [None] * (len(ctx.leaves) - len(gradients))
        for gradient, shape in zip(gradients, ctx.leaves, strict=True):
            if gradient is not None and (not isinstance(gradient, torch.Tensor) or gradient.shape != shape):
                raise TypeError("a gradient of the student's has another shape than its input")
        return None, None, None, *gradients


def from_student(connection: "Connection", values: Any, number: int, grad: Any) -> Any:
    """A tensor of the student's that can be differentiated here.

    Parameters
    ----------
    connection : Connection
    values : tensor
        Its values.
    number : int
        Its handle in the worker.
    grad : array or None or False
        The gradient of a leaf, if it has one; False if it is no leaf.
    """
    if grad is not False:
        leaf = values.requires_grad_(True)
        leaf._remote_number = number
        leaf.grad = None if grad is None else torch.from_numpy(grad).to(values.dtype)
        return leaf
    leaves = connection.leaves or [torch.zeros((), requires_grad=True)]
    return _FromStudent.apply(connection, values, number, *leaves)  # type: ignore[no-untyped-call]
