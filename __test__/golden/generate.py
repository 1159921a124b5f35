"""Writes every golden file: `python generate.py [--only NAME ...] [--no-check]`. See README.md."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "python"))
sys.dont_write_bytecode = True

import environment  # noqa: E402, F401  (must come before keras and jax)

from encoding import write  # noqa: E402
import layers  # noqa: E402, F401
from layers import core, image, merging, normalization, recurrent  # noqa: E402
import edge  # noqa: E402
import guides  # noqa: E402
import initializer_values  # noqa: E402
import keras_files  # noqa: E402
import loss_values  # noqa: E402
import metric_values  # noqa: E402
import optimizer_steps  # noqa: E402
import summaries  # noqa: E402
import training  # noqa: E402


def make_layers(out):
    for module in (core, image, merging, normalization, recurrent):
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    for name in options.only:
        start = time.time()
        PARTS[name](options.out)
        print(f"{name}: {time.time() - start:.1f} s")


if __name__ == "__main__":
    main()
