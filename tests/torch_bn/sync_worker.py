"""Processes for test_sync.py: `python sync_worker.py FOLDER` runs every scenario and leaves its results in FOLDER.

PyTorch is imported once; each scenario forks its processes, which then form a gloo group on the loopback device.
"""

import datetime
import os
import signal
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

from bncourse.torch_bn import SyncBatchNorm

EPS = 0.1
# name: (samples of each process, other axes of x)
CASES = {
    "two-equal": ((3, 3), (3,)),
    "two-unequal": ((5, 2), (3, 4)),
    "two-single-values": ((1, 1), (3,)),
    "two-one-empty": ((0, 4), (3, 2, 2)),
    "four-unequal": ((2, 7, 1, 3), (3, 2)),
    "four-two-empty": ((0, 3, 0, 2), (2, 3, 2)),
}


def part(case, rank, step):
    """This process's share of a batch: x far from zero, and a random cotangent."""
    sizes, rest = CASES[case]
    generator = torch.Generator().manual_seed(100 * step + rank)
    shape = (sizes[rank], *rest)
    x = 50.0 * (rank + 1) + 3.0 * torch.randn(shape, generator=generator, dtype=torch.float64)
    return x, torch.randn(shape, generator=generator, dtype=torch.float64)


def agree(case, rank):
    """Two training steps and one evaluation of a layer with parameters, and one without."""
    results = []
    for affine in (True, False):
        layer = SyncBatchNorm(CASES[case][1][0], eps=EPS, momentum=0.5, affine=affine, dtype=torch.float64)
        if affine:
            torch.manual_seed(7)
            torch.nn.init.normal_(layer.weight)
            torch.nn.init.normal_(layer.bias)
        steps = []
        for step in range(2):
            x, dy = part(case, rank, step)
            x.requires_grad_()
            layer.zero_grad()
            y = layer(x)
            y.backward(dy)
            gradients = [parameter.grad.clone() for parameter in layer.parameters()]
            steps.append({"x": x.detach(), "dy": dy, "y": y.detach(), "dx": x.grad, "gradients": gradients})
        state = {name: value.clone() for name, value in layer.state_dict().items()}
        with torch.no_grad():
            evaluated = layer.eval()(steps[0]["x"]) if len(x) else x
        results.append({"steps": steps, "state": state, "evaluated": evaluated})
    return results


def network(norm):
    torch.manual_seed(3)
    layers = [torch.nn.Conv1d(2, 4, 2), norm(4), torch.nn.ReLU(), torch.nn.Conv1d(4, 3, 2), norm(3), torch.nn.Flatten()]
    return torch.nn.Sequential(*layers, torch.nn.Linear(9, 2)).double()


def train(rank):
    """Three steps of gradient descent with DistributedDataParallel, which averages over equal parts."""
    model = torch.nn.parallel.DistributedDataParallel(network(SyncBatchNorm))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batches = torch.randn(3, 8, 2, 5, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    for batch in batches:
        optimizer.zero_grad()
        model(batch[4 * rank : 4 * rank + 4]).square().mean().backward()
        optimizer.step()
    return {"batches": batches, "state": model.module.state_dict()}


def narrow(rank):
    """float32 far from zero, bfloat16, and what autocast hands over."""
    x = 1e4 + torch.randn(50, 3, generator=torch.Generator().manual_seed(rank))
    layer = SyncBatchNorm(3)
    results = {"x": x, "y": layer(x).detach(), "running_var": layer.running_var.clone()}
    half = x[:4].sub(1e4).bfloat16().requires_grad_()
    y = SyncBatchNorm(3)(half)
    y.sum().backward()
    return results | {"bfloat16": (y.dtype, half.grad.dtype)}


def refusals(rank):
    """Texts of the errors that all processes must raise alike."""
    texts = []
    for x in (torch.ones(1 - rank, 2), torch.ones(3), torch.ones(4, 3), torch.ones(4, 2, dtype=torch.long)):
        try:
            SyncBatchNorm(2)(x)
        except (ValueError, TypeError) as error:
            texts.append(str(error))
    return texts


def evaluate_alone(rank, folder):
    """Process 0 alone evaluates a layer without statistics; the other lives as long and calls nothing."""
    if rank == 1:
        while not (folder / "evaluate-alone-0.pt").exists():
            time.sleep(0.05)
        return None
    layer = SyncBatchNorm(2, track_running_stats=False).eval()
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    return layer(x).detach()


def die(rank, moment):
    """Process 1 ends before its forward or before its backward pass; the others must get an error."""
    x = torch.randn(4, 2, requires_grad=True)
    layer = SyncBatchNorm(2)
    layer(x)
    if moment == "forward" and rank == 1:
        os._exit(1)
    try:
        y = layer(x)
        if moment == "backward" and rank == 1:
            os._exit(1)
        y.square().sum().backward()
    except RuntimeError as error:
        return str(error)
    return "no error"


def stay_away(rank, folder):
    """Process 1 lives but never comes; the other must not wait longer than the group's timeout."""
    if rank == 1:
        while not (folder / "stay-away-0.pt").exists():
            time.sleep(0.05)
        return "stayed away"
    try:
        SyncBatchNorm(2)(torch.randn(4, 2))
    except RuntimeError as error:
        return str(error)
    return "no error"


def run(name, world, timeout, folder, work):
    """Fork `world` processes, give each `work(rank)` in a group of its own, and wait for all."""
    children = []
    for rank in range(world):
        child = os.fork()
        if child == 0:
            signal.alarm(120)  # whatever happens, no process outlives the test
            limit = datetime.timedelta(seconds=timeout)
            dist.init_process_group(
                "gloo", init_method=f"file://{folder}/{name}", rank=rank, world_size=world, timeout=limit
            )
            torch.save(work(rank), folder / f"{name}-{rank}.unfinished")
            (folder / f"{name}-{rank}.unfinished").rename(folder / f"{name}-{rank}.pt")
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def main(folder):
    import torch._dynamo  # otherwise each forked process imports it, with SymPy, at its first backward pass

    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    for case, (sizes, _) in CASES.items():
        run(case, len(sizes), 30, folder, lambda rank, case=case: agree(case, rank))
    run("train", 2, 30, folder, train)
    run("narrow", 2, 30, folder, narrow)
    run("refusals", 2, 30, folder, refusals)
    run("evaluate-alone", 2, 30, folder, lambda rank: evaluate_alone(rank, folder))
    for moment in ("forward", "backward"):
        run(f"die-{moment}", 4, 30, folder, lambda rank, moment=moment: die(rank, moment))
    run("stay-away", 2, 5, folder, lambda rank: stay_away(rank, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
