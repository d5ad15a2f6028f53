"""Array types with shapes, for people always and for the machine on request.

This leaf imports nothing of the house. Signatures read `Float[np.ndarray, "n c *spatial"]`, which is
documentation in a normal run: the base install needs NumPy only, and a call costs nothing extra. With
`BNCOURSE_SHAPES=1` the names come from jaxtyping, and `make shapes` checks every call.
"""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or os.environ.get("BNCOURSE_SHAPES") == "1":
    from jaxtyping import Float as Float
    from jaxtyping import Inexact as Inexact
else:

    class _ShapeIsDocumentation:
        """Stands in for a jaxtyping type: `Float[np.ndarray, "n c"]` is just `np.ndarray`."""

        def __class_getitem__(cls, item: tuple[Any, str]) -> Any:
            return item[0]

    Float = Inexact = _ShapeIsDocumentation
