"""Where the layers differ from PyTorch's: what is refused or done otherwise, each with its reason.

Everything else that `torch.nn.BatchNorm1d`, `2d` and `3d` do, they do; the tests go through the list on both sides.
"""

LIMITS = {
    "momentum outside [0, 1]": "Refused with a ValueError: it is a weight in an average. PyTorch takes any number.",
    "negative eps": "Refused with a ValueError: the root of a negative number is NaN. PyTorch takes any number.",
    "wrong number of channels": "A ValueError that names gamma and the axis; PyTorch raises a RuntimeError.",
    "another precision than the parameters'": "A TypeError that says how to convert; PyTorch raises a RuntimeError.",
    "empty batch or empty maps in training": (
        "Refused: they have no mean. PyTorch returns an empty result, and its statistics turn NaN."
    ),
    "one value per channel in training": "Refused before the batch is counted; PyTorch counts it, and then refuses it.",
    "eps of 0 in training": (
        "Accepted, and a variance of 0 gives NaN. PyTorch refuses it in training, and accepts it in evaluation."
    ),
    "no channels": "`num_features=0` is refused where the layer is made; PyTorch fails at the first batch.",
    "integers, complex numbers": "A TypeError that says how to convert; PyTorch raises a NotImplementedError.",
    "running statistics in another precision": "Accepted as they are. PyTorch raises a RuntimeError.",
    "infinite values in training": (
        "The running mean of their channel turns NaN, as the variance does; PyTorch's turns infinite."
    ),
    "training between an evaluation and its backward pass": (
        "The gradient is that of the forward pass as it was. PyTorch takes the running statistics as they are by then."
    ),
    "input changed in place before the backward pass": (
        "The gradient is that of the forward pass as it was. PyTorch raises a RuntimeError."
    ),
    "running statistics that want a gradient": "Evaluation differentiates them too. PyTorch raises a RuntimeError.",
    "inference tensors in training": "Taken, where only the parameters want gradients. PyTorch raises a RuntimeError.",
    "torch.func.functionalize": "Not available: it has no rule for an autograd.Function. Use torch.export.",
    "SyncBatchNorm.convert_sync_batchnorm": (
        "Returns a copy, so make the optimizer after it. PyTorch's exchanges the layers in the model itself."
    ),
    "gradient checkpointing": "A step counts once; in PyTorch it counts twice, as its forward pass runs again.",
    "torch.jit.script": "Not available: TorchScript takes no autograd.Function. Use torch.jit.trace or torch.compile.",
    "torch.ao.quantization.fuse_modules": "It goes by exact types and leaves these layers alone. Use `fold_model`.",
}
"""Name of the case, and what happens."""
