"""PyTorch, eager or as a frozen trace, with images in either memory layout.

As its users write it: images are channels first in shape, training takes logits, and Adam is the fused one.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cannot import Cannot  # noqa: F401, the worker looks for it here


def prepare(threads):
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)


def forms(network, kind):
    layouts = ["channels-first", "channels-last"] if _has_images(network) else ["plain"]
    return layouts + [f"{layout} frozen" for layout in layouts] if kind == "predict" else layouts


class Engine:
    def __init__(self, network, kind, form):
        self.images = [len(each["shape"]) == 3 for each in network.inputs]
        self.layout = torch.channels_last if "last" in form else torch.contiguous_format
        self.model = Recorded(network, logits=kind == "train")
        if _has_images(network):
            self.model = self.model.to(memory_format=self.layout)
        self.run = self.model
        if kind == "predict":
            self.model.eval()
            self.frozen = "frozen" in form
        else:
            self.losses = [network.loss] if isinstance(network.loss, str) else network.loss
            adam = network.adam
            self.optimizer = torch.optim.Adam(
                (weight for weight in self.model.parameters() if weight.requires_grad),
                lr=adam["learningRate"],
                betas=(adam["beta1"], adam["beta2"]),
                eps=adam["epsilon"],
                fused=True,
            )

    def tensors(self, data):
        return [
            (
                torch.from_numpy(part).permute(0, 3, 1, 2).contiguous(memory_format=self.layout)
                if image
                else torch.from_numpy(part)
            )
            for part, image in zip(data, self.images)
        ]

    def predict(self, data):
        with torch.inference_mode():
            x = self.tensors(data)
            if self.frozen:
                self.frozen = False
                self.run = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(self.model, x)))
            return [output.numpy() for output in self.run(*x)]

    def train(self, data, targets, _check):
        outputs = self.model(*self.tensors(data))
        losses = [_losses[name](y, torch.from_numpy(t)) for name, y, t in zip(self.losses, outputs, targets)]
        loss = torch.stack(losses).sum() if len(losses) > 1 else losses[0]
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


_losses = {
    "categorical_crossentropy": F.cross_entropy,
    "binary_crossentropy": F.binary_cross_entropy_with_logits,
}


def _has_images(network):
    return any(len(each["shape"]) == 3 for each in network.inputs)


class Recorded(nn.Module):
    """The network with its weights. With `logits` its outputs are without their last activation."""

    def __init__(self, network, logits):
        super().__init__()
        self.inputs = [each["name"] for each in network.inputs]
        self.outputs = [each["name"] for each in network.outputs]
        shapes = {each["name"]: each["shape"] for each in network.inputs + network.steps}
        padding = _paddings_of_consumers(network)
        self.parts = nn.ModuleList()
        self.calls = []
        for step in network.steps:
            name = step["name"]
            if name in padding:
                part = nn.Identity()
            else:
                around = next((padding[source] for source in step["inputs"] if source in padding), 0)
                part = _makers[step["kind"]](step, [shapes[source] for source in step["inputs"]], around)
            activation = step["options"].get("activation")
            if activation and not (logits and name in self.outputs):
                part = nn.Sequential(part, _activations[activation]())
            self.parts.append(part)
            self.calls.append((name, step["inputs"]))

    def forward(self, *data):
        values = dict(zip(self.inputs, data))
        for part, (name, sources) in zip(self.parts, self.calls):
            values[name] = part(*[values[source] for source in sources])
        return tuple(values[name] for name in self.outputs)


def _paddings_of_consumers(network):
    """Paddings, equal on all sides, that the one step behind them does itself, by the padding's name.

    A pooling may, as its zeros come after a ReLU: nothing is below them.
    """
    steps = {step["name"]: step for step in network.steps}
    result = {}
    for step in network.steps:
        consumers = [each for each in network.steps if step["name"] in each["inputs"]]
        if step["kind"] != "zeroPadding2d" or len(consumers) != 1:
            continue
        [consumer], source = consumers, steps.get(step["inputs"][0])
        widths = {width for sides in step["options"]["padding"] for width in sides}
        pooled = consumer["kind"] == "maxPooling2d" and source is not None and source["kind"] == "relu"
        if len(widths) == 1 and (pooled or consumer["kind"] in ("conv2d", "depthwiseConv2d")):
            result[step["name"]] = widths.pop()
    return result


def _filled(module, **weights):
    with torch.no_grad():
        for name, value in weights.items():
            getattr(module, name).copy_(torch.from_numpy(np.ascontiguousarray(value)))
    return module


def _dense(step, _shapes, _padding):
    kernel, bias = step["weights"]
    return _filled(nn.Linear(*kernel.shape), weight=kernel.T, bias=bias)


def _conv2d(step, shapes, padding):
    kernel = step["weights"][0].transpose(3, 2, 0, 1)
    return _convolution(step, shapes[0], padding, kernel, groups=1)


def _depthwise_conv2d(step, shapes, padding):
    kernel = step["weights"][0].transpose(2, 3, 0, 1)
    return _convolution(step, shapes[0], padding, kernel, groups=kernel.shape[0])


def _convolution(step, shape, padding, kernel, groups):
    size, strides = step["options"]["kernelSize"], step["options"]["strides"]
    before = nn.Identity()
    if step["options"]["padding"] == "same":
        missing = [max((n - 1) * strides + size - m, 0) for n, m in zip(step["shape"], shape[:2])]
        if missing[0] == missing[1] and missing[0] % 2 == 0:
            padding = missing[0] // 2
        else:
            top, left = (n // 2 for n in missing)
            before = nn.ZeroPad2d((left, missing[1] - left, top, missing[0] - top))
    filters, channels = kernel.shape[:2]
    has_bias = len(step["weights"]) > 1
    layer = nn.Conv2d(channels * groups, filters, size, strides, padding, groups=groups, bias=has_bias)
    _filled(layer, weight=kernel, **({"bias": step["weights"][1]} if has_bias else {}))
    return layer if isinstance(before, nn.Identity) else nn.Sequential(before, layer)


def _batch_normalization(step, shapes, _padding):
    gamma, beta, mean, variance = step["weights"]
    kind = nn.BatchNorm2d if len(shapes[0]) == 3 else nn.BatchNorm1d
    layer = kind(len(gamma), eps=step["options"]["epsilon"], momentum=0.01)
    return _filled(layer, weight=gamma, bias=beta, running_mean=mean, running_var=variance)


def _max_pooling2d(step, _shapes, padding):
    return nn.MaxPool2d(step["options"]["poolSize"], step["options"]["strides"], padding)


def _zero_padding2d(step, _shapes, _padding):
    (top, bottom), (left, right) = step["options"]["padding"]
    return nn.ZeroPad2d((left, right, top, bottom))


def _embedding(step, _shapes, _padding):
    return nn.Embedding.from_pretrained(torch.from_numpy(step["weights"][0].copy()), freeze=False)


class _LastOutput(nn.Module):
    """The last output of an LSTM. Keras has one bias, so the second stays zero and is not trained."""

    def __init__(self, kernel, recurrent, bias):
        super().__init__()
        self.lstm = nn.LSTM(kernel.shape[0], recurrent.shape[0], batch_first=True)
        _filled(self.lstm, weight_ih_l0=kernel.T, weight_hh_l0=recurrent.T, bias_ih_l0=bias, bias_hh_l0=0 * bias)
        self.lstm.bias_hh_l0.requires_grad_(False)

    def forward(self, x):
        return self.lstm(x)[0][:, -1]


class _Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def _pooled(x):
    return x.mean((2, 3))


def _flattened(x):
    # Keras's order, for which channels-last images need no copy.
    return x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x.flatten(1)


def _joined(*x):
    return torch.cat(x, -1)


def _relu(step, _shapes, _padding):
    if "maxValue" not in step["options"]:
        return nn.ReLU(inplace=True)
    return nn.ReLU6(inplace=True) if step["options"]["maxValue"] == 6 else nn.Hardtanh(0, step["options"]["maxValue"])


def _call(function):
    return lambda _step, _shapes, _padding: _Call(function)


_makers = {
    "dense": _dense,
    "conv2d": _conv2d,
    "depthwiseConv2d": _depthwise_conv2d,
    "batchNormalization": _batch_normalization,
    "maxPooling2d": _max_pooling2d,
    "globalAveragePooling2d": _call(_pooled),
    "zeroPadding2d": _zero_padding2d,
    "flatten": _call(_flattened),
    "add": _call(torch.add),
    "concatenate": _call(_joined),
    "relu": _relu,
    "embedding": _embedding,
    "lstm": lambda step, _shapes, _padding: _LastOutput(*step["weights"]),
}

_activations = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "softmax": lambda: nn.Softmax(-1)}
