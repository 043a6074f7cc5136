"""What a process has used so far: CPU time to the nanosecond, and memory."""

import os
import time
from dataclasses import dataclass

from .processes import process_tree

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """CPU time of a process tree since it started.

    `total_ns` is the scheduler's own sum over all threads, also those that have ended. The split
    into user and system time is in clock ticks of (usually) 10 ms: good for a share, too coarse
    for a cost.
    """

    total_ns: int
    user_ticks: int
    system_ticks: int

    def __sub__(self, earlier):
        return Cpu(
            self.total_ns - earlier.total_ns,
            self.user_ticks - earlier.user_ticks,
            self.system_ticks - earlier.system_ticks,
        )

    @property
    def user_share(self):
        """The part of the time spent outside the kernel, 0 to 1."""
        return self.user_ticks / max(1, self.user_ticks + self.system_ticks)


def cpu(pid):
    """CPU time of `pid` and its descendants."""
    total_ns = user_ticks = system_ticks = 0
    for member in process_tree(pid):
        total_ns += time.clock_gettime_ns(cpu_clock(member))
        with open(f"/proc/{member}/stat") as stat:
            # The second field, the name in parentheses, may hold spaces. See proc(5).
            fields = stat.read().rpartition(")")[2].split()
            user_ticks += int(fields[11])
            system_ticks += int(fields[12])
    return Cpu(total_ns, user_ticks, system_ticks)


def cpu_clock(pid):
    """The clock of a process's CPU time, in nanoseconds.

    What clock_getcpuclockid(3) answers, which Python does not offer: the inverted id above three
    bits, of which 2 asks for the scheduler's sum over the whole process.
    """
    return (~pid << 3) | 2


@dataclass(frozen=True)
class Memory:
    """Memory of a process tree in bytes. Socket buffers are the kernel's and are not in it."""

    resident_bytes: int
    # Pages shared by several processes are divided among them.
    proportional_bytes: int
    # Pages only this process has: what its heap and stacks grew by.
    private_bytes: int


def memory(pid):
    """Memory of `pid` and its descendants now."""
    resident = proportional = private = 0
    for member in process_tree(pid):
        with open(f"/proc/{member}/smaps_rollup") as rollup:
            kib = {line.split(":")[0]: int(line.split()[1]) for line in rollup if line.endswith("kB\n")}
        resident += kib["Rss"]
        proportional += kib["Pss"]
        private += kib["Private_Clean"] + kib["Private_Dirty"]
    return Memory(resident << 10, proportional << 10, private << 10)
