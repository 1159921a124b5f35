"""Times calls as `measure.js` and `machine.js` do in the other engines' processes."""

import os
import statistics
import time

SLOW_MS = 2000


def watch_others():
    """The function returned says which share of all processors other processes have used since; None if unknown."""
    busy, own, begun = _busy_seconds(), time.process_time(), time.perf_counter()

    def share():
        now = _busy_seconds()
        if busy is None or now is None:
            return None
        others = now - busy - (time.process_time() - own)
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return min(1, max(0, others / ((time.perf_counter() - begun) * available)))

    return share


def _busy_seconds():
    try:
        with open("/proc/stat", encoding="ascii") as stat:
            user, nice, system, _, _, irq, soft_irq, stolen = map(int, stat.readline().split()[1:9])
    except OSError:
        return None
    # The unit is USER_HZ, which Linux fixes at 100 wherever this runs.
    return (user + nice + system + irq + soft_irq + stolen) / 100


def measure(call, budget):
    """The median of calls over `budget` milliseconds, after a warm-up of half of it."""
    call()  # Compiles.
    others = watch_others()
    first = timed(call)
    if first > SLOW_MS:
        return {"median": first, "least": first, "calls": 1, "others": others()}
    _repeat(call, budget / 2, 3)
    others = watch_others()
    samples = _repeat(call, budget, 3)
    return {"median": statistics.median(samples), "least": min(samples), "calls": len(samples), "others": others()}


def _repeat(call, budget, least):
    samples = []
    end = time.perf_counter() + budget / 1000
    while len(samples) < least or time.perf_counter() < end:
        samples.append(timed(call))
    return samples


def timed(call):
    """Milliseconds that one call takes."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000
