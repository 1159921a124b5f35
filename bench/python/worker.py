"""One engine on one workload, in a process of its own: the counterpart of `worker.js`.

Reads one request as JSON from standard input and writes the answer as JSON to the file that the request names.
"""

import importlib
import json
import sys
import time

import recorded
from timing import measure, timed

CHECKED_STEPS = 4
CHECK_MS = 20_000


def main():
    request = json.load(sys.stdin)
    network = recorded.read(request["network"])
    module = importlib.import_module(f"{request['library']}_engine")
    module.prepare(request["threads"])
    results = []
    for case in request["cases"]:
        try:
            results.append(answer(module, network, request, case))
        except module.Cannot as error:
            results.append({"cannot": str(error)})
        except Exception as error:  # What fails in a library is a result of the comparison, not the end of it.
            results.append({"failed": f"{type(error).__name__}: {error}"[:500]})
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(results, file)


def answer(module, network, request, case):
    kind, batch = case["kind"], case["batch"]
    recorded_case = next(each for each in network.cases if each["batch"] == batch)
    if request["task"] == "time":
        return measure(call_of(module, network, recorded_case, kind, case.get("form")), request["budget"])
    form = fastest(module, network, recorded_case, kind)
    # A fresh model, since trying forms has trained the others.
    return {"values": numbers(call_of(module, network, recorded_case, kind, form, check=True), kind), "form": form}


def call_of(module, network, case, kind, form, check=False):
    """A function that makes one prediction or training step, each on a model of its own."""
    engine = module.Engine(network, kind, form)
    if kind == "predict":
        return lambda: engine.predict(case["data"])
    return lambda: engine.train(case["data"], case["targets"], check)


def fastest(module, network, case, kind):
    """The form of the engine, such as a memory layout or a compiler, with the least time of three calls."""
    forms = module.forms(network, kind)
    if len(forms) == 1:
        return forms[0]
    times, errors = {}, []
    for form in forms:
        try:
            call = call_of(module, network, case, kind, form)
            if timed(call) > CHECK_MS:
                continue
            call()
            times[form] = min(timed(call) for _ in range(3))
        except Exception as error:  # A form may lack a function that another has.
            errors.append(error)
    if not times:
        raise errors[0]
    return min(times, key=times.get)


def numbers(call, kind):
    """The predictions, or the losses of the first steps."""
    if kind == "predict":
        return [float(value) for output in call() for value in output.reshape(-1)]
    losses = []
    end = time.perf_counter() + CHECK_MS / 1000
    while len(losses) < CHECKED_STEPS and (len(losses) < 2 or time.perf_counter() < end):
        losses.append(float(call()))
    return losses


if __name__ == "__main__":
    main()
