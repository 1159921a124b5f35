"""Six steps of one optimizer on given gradients, for every option."""

import keras
import numpy as np
from keras import optimizers
from keras.optimizers import schedules

from encoding import named, tensor, write
from environment import fresh_session
from samples import Sampler

STEPS = 6


def _steps(name, optimizer):
    fresh_session()
    s = Sampler("optimizer steps")
    kernel = keras.Variable(s.normal(2, 3), name="kernel")
    bias = keras.Variable(s.normal(3), name="bias")
    variables = [kernel, bias]
    optimizer = optimizer()
    optimizer.build(variables)
    record = {
        "name": name,
        "config": keras.saving.serialize_keras_object(optimizer),
        "initial_optimizer_variables": named(optimizer.variables),
        "variables": [{"path": v.name, "tensor": tensor(np.array(v.value))} for v in variables],
        "steps": [],
    }
    for step in range(STEPS):
        # Large, small and zero entries; the norm changes from step to step so that clipping sets in and out.
        scale = (0.1, 1.0, 3.0, 0.01, 1.0, 0.5)[step]
        gradients = [s.normal(2, 3, scale=scale), s.normal(3, scale=scale)]
        gradients[0][step % 2, step % 3] = 0
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
        record["steps"].append(
            {
                "gradients": [tensor(g) for g in gradients],
                "values": [tensor(np.array(v.value)) for v in variables],
            }
        )
    record["optimizer_variables"] = named(optimizer.variables)
    if optimizer.use_ema:
        optimizer.finalize_variable_values(variables)
        record["finalized_values"] = [tensor(np.array(v.value)) for v in variables]
    return record


COMMON = {
    "defaults": {},
    "learning_rate": {"learning_rate": 0.05},
    "weight_decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.7},
    "clipvalue": {"clipvalue": 0.4},
    "global_clipnorm": {"global_clipnorm": 0.8},
    "use_ema": {"use_ema": True, "ema_momentum": 0.8},
    "use_ema_overwrite_every_2": {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2},
    "accumulate_2": {"gradient_accumulation_steps": 2},
    "accumulate_4_leftover": {"gradient_accumulation_steps": 4},
}
OWN = {
    "SGD": {
        "momentum": {"momentum": 0.9},
        "nesterov": {"momentum": 0.9, "nesterov": True},
        "momentum_weight_decay_clipnorm": {"momentum": 0.5, "weight_decay": 0.05, "clipnorm": 0.7},
        "nesterov_accumulate_2_ema": {
            "momentum": 0.9, "nesterov": True, "gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.7,
        },
    },
    "RMSprop": {
        "rho_epsilon": {"rho": 0.7, "epsilon": 1e-3},
        "momentum": {"momentum": 0.6},
        "centered": {"centered": True},
        "centered_momentum": {"centered": True, "momentum": 0.6, "weight_decay": 0.01},
    },
    "Adam": {
        "betas_epsilon": {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3},
        "amsgrad": {"amsgrad": True},
        "amsgrad_accumulate_2_ema": {
            "amsgrad": True, "gradient_accumulation_steps": 2, "use_ema": True, "ema_momentum": 0.7,
        },
        "weight_decay_global_clipnorm": {"weight_decay": 0.1, "global_clipnorm": 0.5},
    },
    "AdamW": {
        "amsgrad": {"amsgrad": True},
        "weight_decay_zero": {"weight_decay": 0.0},
        "large_weight_decay_clipnorm": {"learning_rate": 0.05, "weight_decay": 0.3, "clipnorm": 0.5},
    },
}
SCHEDULES = {
    "exponential_decay": lambda: schedules.ExponentialDecay(0.1, 2, 0.5),
    "exponential_decay_staircase": lambda: schedules.ExponentialDecay(0.1, 3, 0.5, staircase=True),
    "piecewise_constant_decay": lambda: schedules.PiecewiseConstantDecay([1, 4], [0.1, 0.05, 0.01]),
    "polynomial_decay": lambda: schedules.PolynomialDecay(0.1, 4, end_learning_rate=0.01, power=2.0),
    "polynomial_decay_cycle": lambda: schedules.PolynomialDecay(0.1, 3, end_learning_rate=0.01, cycle=True),
    "inverse_time_decay": lambda: schedules.InverseTimeDecay(0.1, 2, 0.5),
    "inverse_time_decay_staircase": lambda: schedules.InverseTimeDecay(0.1, 2, 0.5, staircase=True),
    "cosine_decay": lambda: schedules.CosineDecay(0.1, 5, alpha=0.1),
    "cosine_decay_warmup": lambda: schedules.CosineDecay(0.01, 4, alpha=0.1, warmup_target=0.1, warmup_steps=3),
    "cosine_decay_restarts": lambda: schedules.CosineDecayRestarts(0.1, 3, t_mul=2.0, m_mul=0.5, alpha=0.05),
}
LATER = ("Adamax", "Nadam", "Adagrad", "Adadelta", "Ftrl", "Lion", "Lamb", "Adafactor", "Muon", "ScheduleFreeAdamW")


def make(out):
    cases = []
    for kind, own in OWN.items():
        make_one = getattr(optimizers, kind)
        for name, options in {**COMMON, **own}.items():
            cases.append(_steps(f"{kind.lower()}_{name}", lambda m=make_one, o=options: m(**o)))
    cases.append(
        _steps("sgd_schedule", lambda: optimizers.SGD(SCHEDULES["exponential_decay"](), momentum=0.5))
    )
    cases.append(
        _steps(
            "adam_schedule_accumulate_2",
            lambda: optimizers.Adam(SCHEDULES["piecewise_constant_decay"](), gradient_accumulation_steps=2),
        )
    )
    write(out / "optimizers.json", cases)
    write(
        out / "optimizers_later.json",
        [_steps(k.lower(), lambda k=k: getattr(optimizers, k)()) for k in LATER if hasattr(optimizers, k)],
    )
    rows = []
    for name, build in SCHEDULES.items():
        schedule = build()
        values = [float(np.asarray(schedule(step), np.float32)) for step in range(16)]
        rows.append(
            {
                "name": name,
                "config": keras.saving.serialize_keras_object(schedule),
                "learning_rates": tensor(np.array(values, np.float32)),
            }
        )
    write(out / "schedules.json", rows)
