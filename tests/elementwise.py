"""What torch's FLOP counter leaves out: arithmetic done element by element."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten

# one operation for each number that comes out
MAPS = {aten.mul, aten.add, aten.sub, aten.exp, aten.sin, aten.cos}
# one for each that goes in
SUMS = {aten.sum}
# nothing but bookkeeping
MOVES = {
    *(aten.select, aten.slice, aten.unsqueeze, aten.expand, aten.view, aten.split, aten.t, aten.transpose, aten.alias),
    *(aten.stack, aten.new_zeros, aten.zeros_like, aten.arange, aten.detach, aten._to_copy),
}
# signs and roots, once per parameter
CONSTANTS = {aten.neg, aten.sqrt, aten.rsub}


class ElementwiseCounter(TorchDispatchMode):
    """Counts the elements of what runs inside; an operation it doesn't know is an error, not a zero."""

    def __init__(self):
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        packet = func.overloadpacket
        if packet in MAPS:
            self.total += out.numel()
        elif packet in SUMS:
            self.total += args[0].numel()
        elif packet not in MOVES | CONSTANTS:
            raise NotImplementedError(f"{packet} is neither counted nor known to be free")
        return out


def elementwise(work) -> int:
    """Element operations of a call without gradients."""
    with torch.no_grad(), ElementwiseCounter() as counter:
        work()
    return counter.total
