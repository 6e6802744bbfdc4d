"""Ranks as threads of one process, which meet where they add up what they have."""

import threading
from dataclasses import dataclass, field

import torch

from bench.ranks import Ranks


@dataclass
class Meeting:
    """Where threads, a rank each, add up what they have."""

    size: int
    parts: dict = field(default_factory=dict)

    def __post_init__(self):
        self.barrier = threading.Barrier(self.size, timeout=20)

    def ranks(self):
        meeting = self

        class Met(Ranks):
            def summed(self, own):
                meeting.parts[self.rank] = own
                meeting.barrier.wait()
                found = torch.stack([part for _, part in sorted(meeting.parts.items())]).sum(0)
                # nobody brings the next before all have this
                meeting.barrier.wait()
                return found

        return [Met(rank, self.size) for rank in range(self.size)]
