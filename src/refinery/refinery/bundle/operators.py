"""The operators that a policy may use: a plain network's, and nothing that loops, branches, draws or makes giants."""

from __future__ import annotations

_LAYERS = "Gemm MatMul LSTM GRU RNN LayerNormalization"
_ACTIVATIONS = (
    "Celu Elu Gelu HardSigmoid HardSwish LeakyRelu Mish PRelu Relu Selu Sigmoid Softmax Softplus Softsign Tanh"
)
_ARITHMETIC = "Abs Add Clip Cos Div Erf Exp Identity Log Max Mean Min Mul Neg Pow Reciprocal Sign Sin Sqrt Sub Sum"
_REDUCTIONS = "ReduceMax ReduceMean ReduceMin ReduceSum"
_SHAPES = "Cast Concat Constant Flatten Gather Reshape Slice Split Squeeze Transpose Unsqueeze"

OPERATORS = frozenset(" ".join((_LAYERS, _ACTIVATIONS, _ARITHMETIC, _REDUCTIONS, _SHAPES)).split())
"""What exported MLPs and LSTMs with a normaliser are made of, in the domain ``ai.onnx``.

Left out on purpose: ``If``, ``Loop``, ``Scan`` (they end when the file says so), ``ConstantOfShape``, ``Expand``,
``Tile``, ``Range``, ``Resize`` and the like (a few bytes of file become gigabytes), everything random, and operators of
other domains, of which some read files. What these ones cost is bounded by :mod:`refinery.bundle.onnx_work`.
"""
