"""Writes every golden file: `python generate.py [--only PART ...] [--out DIR]`. See README.md."""

import argparse
import sys
import time
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "python"))
sys.dont_write_bytecode = True

import environment  # noqa: E402, F401  (must come before keras and jax)

import edge  # noqa: E402
import guides  # noqa: E402
import initializer_values  # noqa: E402
import keras_files  # noqa: E402
import loss_values  # noqa: E402
import metric_values  # noqa: E402
import optimizer_steps  # noqa: E402
import summaries  # noqa: E402
import training  # noqa: E402
from encoding import write  # noqa: E402
from layers import core, image, merging, more, normalization, recurrent  # noqa: E402

MEGABYTE = 1_000_000
LIMIT = 3 * MEGABYTE


def make_layers(out):
    for module in (core, image, merging, more, normalization, recurrent):
        for name, cases in module.FILES.items():
            write(out / "layers" / f"{name}.json", cases())


PARTS = {
    "layers": make_layers,
    "training": training.make,
    "optimizers": optimizer_steps.make,
    "losses": loss_values.make,
    "metrics": metric_values.make,
    "initializers": initializer_values.make,
    "keras-files": keras_files.make,
    "guides": guides.make,
    "summary": summaries.make,
    "edge": edge.make,
}


def report_sizes(out):
    sizes = {}
    for path in out.rglob("*"):
        relative = path.relative_to(out)
        if path.suffix in (".json", ".txt", ".keras", ".h5"):
            top = relative.parts[0] + ("/" if len(relative.parts) > 1 else "")
            sizes[top] = sizes.get(top, 0) + path.stat().st_size
    for name, size in sorted(sizes.items()):
        if name != "requirements.txt":
            print(f"{size:>9,} {name}")
    total = sum(sizes.values())
    print(f"{total:>9,} in all")
    if total > LIMIT:
        raise SystemExit(f"the golden files have grown beyond {LIMIT:,} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    # Keras warns of softmax over one class, masks that are dropped, and the like: edges that are meant here.
    warnings.simplefilter("ignore")
    for name in options.only:
        start = time.time()
        PARTS[name](options.out)
        print(f"{name}: {time.time() - start:.1f} s", flush=True)
    report_sizes(options.out)


if __name__ == "__main__":
    main()
