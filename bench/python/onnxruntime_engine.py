"""ONNX Runtime on the processor, with the model that the engine for Node.js gets, too. It does not train."""

import onnxruntime

from cannot import Cannot

_options = onnxruntime.SessionOptions()


def prepare(threads):
    _options.intra_op_num_threads = threads
    _options.inter_op_num_threads = 1


def forms(_network, _kind):
    return ["plain"]


class Engine:
    def __init__(self, network, kind, _form):
        if kind == "train":
            raise Cannot("onnxruntime does not train")
        self.names = [each["name"] for each in network.inputs]
        self.outputs = [each["name"] for each in network.outputs]
        self.session = onnxruntime.InferenceSession(network.onnx, _options, providers=["CPUExecutionProvider"])

    def predict(self, data):
        return self.session.run(self.outputs, dict(zip(self.names, data)))
