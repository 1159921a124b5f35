"""Fixes everything that could make two runs differ. Import this before keras or jax."""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
# One thread and no fast-math: sums are formed in one order, NaN and infinity keep their meaning.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false --xla_cpu_enable_fast_math=false"
# What shutil.get_terminal_size() and rich fall back to when the output is not a terminal.
os.environ["COLUMNS"] = "80"
for name in ("LINES", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
    os.environ.pop(name, None)
# rich draws its boxes in ASCII unless the output stream says UTF-8.
sys.stdout.reconfigure(encoding="utf-8")

import jax  # noqa: E402

jax.config.update("jax_default_matmul_precision", "highest")

import keras  # noqa: E402

EXPECTED_KERAS = "3.15.1"
if keras.__version__ != EXPECTED_KERAS:
    raise SystemExit(f"golden files need keras {EXPECTED_KERAS}, found {keras.__version__}")


def fresh_session(seed=0):
    """Resets automatic names and the global random seed."""
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
