"""A network: an ordered list of layers over one flat parameter vector."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .layers import ACTIVATIONS, KERNELS, LAYERS, Distance
from .layers.distances import RADIUS_TYPES
from .losses import LOSSES, check_target, normalized_weights
from .numerics import memory
from .parameters import LayeredParameters, NamedViews
from .prediction import layer_output

OUTPUT_LAYERS = ("distance", "linear")


def usual_linear_scale(n_inputs):
    """Return the scale of the linear part for a number of inputs that vary.

    Solvers make steps of about the same size in all parameters: with many inputs the linear part
    would overfit before the units have learned anything.
    """
    return min(1.0, 2.0 / max(n_inputs, 1) ** 0.5)


@dataclass(slots=True)
class Workspace:
    """Buffers of all passes over a batch."""

    layers: list[Any]
    #: The rows, which the caller writes.
    X: np.ndarray
    #: The output of each layer, where the next one reads its input, and the gradients of the loss.
    outputs: list[np.ndarray]
    d_outputs: list[np.ndarray]


class Network(LayeredParameters):
    """Distance and dot-product layers in any order, over one flat parameter vector.

    A network holds its shape and nothing else. Parameters are a vector `theta` of `n_parameters`
    numbers, which :meth:`pack` makes and :meth:`unpack` reads, so that a solver works on one array.

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs, units of each hidden layer, number of outputs.
    activations : str or sequence of str, default="gaussian"
        Of all or of each hidden layer. A kernel ("gaussian", "cauchy") makes a distance layer;
        "relu", "tanh", "logistic" or "identity" makes a dot-product layer.
    output_layer : {"distance", "linear"}, default="distance"
        Each output is -1/2 squared distance to a centroid, or affine.
    radius_type : {"diag", "spherical", "tied"}, default="diag"
        One inverse radius for each input of each unit, for each unit, or for each input.
    dtype : dtype, default=numpy.float64
        Of parameters and all computation.
    linear_part : bool or float, default=False
        Whether a linear function of the inputs is added to the raw output. Its coefficients are
        `linear_scale` times the parameters "linear_coefs" (n_inputs, n_outputs), the last of
        `theta`. A float is that scale; True is 2 / sqrt(n_inputs), at most 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistnet.engine import Network
    >>> net = Network([1, 2], output_layer="distance")
    >>> theta = net.pack(centroids=[[[0.0], [2.0]]], inverse_radii=[[[1.0], [1.0]]])
    >>> net.forward(theta, np.array([[0.0], [1.0]]))[-1]
    array([[ 0. , -2. ],
           [-0.5, -0.5]])
    """

    def __init__(
        self,
        sizes,
        activations="gaussian",
        output_layer="distance",
        radius_type="diag",
        dtype=np.float64,
        linear_part=False,
    ):
        self.sizes = tuple(int(size) for size in sizes)
        n_hidden = len(self.sizes) - 2
        if isinstance(activations, str):
            activations = [activations] * n_hidden
        self.activations = tuple(activations)
        self.linear_part = bool(linear_part)
        if n_hidden < 0 or min(self.sizes) < 1:
            raise ValueError(f"'sizes' must be at least two positive ints; got {self.sizes}.")
        if len(self.activations) != n_hidden:
            raise ValueError(
                f"'activations' must name one for each of the {n_hidden} hidden layers; "
                f"got {list(self.activations)}."
            )
        hidden = sorted([*KERNELS, *ACTIVATIONS])
        for parameter, name, allowed in (
            *(("activations", name, hidden) for name in self.activations),
            ("output_layer", output_layer, sorted(OUTPUT_LAYERS)),
            ("radius_type", radius_type, sorted(RADIUS_TYPES)),
        ):
            if name not in allowed:
                raise ValueError(f"{parameter!r} must be one of {allowed}; got {name!r}.")
        super().__init__(self._make_layers(output_layer, radius_type), dtype)
        end = self.n_parameters
        n_linear = self.sizes[0] * self.sizes[-1] if self.linear_part else 0
        self.linear_slice = slice(end, end + n_linear)
        usual = linear_part is True
        self.linear_scale = usual_linear_scale(self.sizes[0]) if usual else float(linear_part)
        self.n_parameters = end + n_linear

    def _make_layers(self, output_layer, radius_type):
        names = [*self.activations, None if output_layer == "distance" else "identity"]
        for n_inputs, n_units, name in zip(self.sizes, self.sizes[1:], names):
            if name in ACTIVATIONS:
                yield LAYERS["dense"](n_inputs, n_units, name)
            else:
                yield LAYERS["distance"](n_inputs, n_units, name, radius_type)

    def views(self, vector):
        """Return a dict of named views into `vector` for each layer.

        The last layer's has the "linear_coefs" too, if there is a linear part.
        """
        views = super().views(vector)
        if self.linear_part:
            shape = self.sizes[0], self.sizes[-1]
            views[-1]["linear_coefs"] = vector[self.linear_slice].reshape(shape)
        return views

    def unpack(self, vector):
        """Return named views of a parameter vector, or of a gradient.

        The result has the keys (and attributes) "centroids", "inverse_radii", "coefs" and
        "intercepts". Each is a list over layers, with None where the layer is of the other kind.
        A net with a linear part has "linear_coefs", an array, too.
        """
        layers = self.views(vector)
        names = [name for kind in ("distance", "dense") for name in LAYERS[kind].parameter_names]
        views = NamedViews({name: [views.get(name) for views in layers] for name in names})
        if self.linear_part:
            views["linear_coefs"] = layers[-1]["linear_coefs"]
        return views

    def pack(
        self, centroids=None, inverse_radii=None, coefs=None, intercepts=None, linear_coefs=None
    ):
        """Return the parameter vector of shape (n_parameters,); the inverse of :meth:`unpack`.

        Parameters
        ----------
        centroids, inverse_radii : list of array-like of shape (n_units, n_inputs)
            One for each layer, None for a dot-product layer. Inverse radii have the shape of the
            radius type.
        coefs, intercepts : list of array-like of shape (n_inputs, n_units) and (n_units,)
            One for each layer, None for a distance layer.
        linear_coefs : array-like of shape (n_inputs, n_outputs), default=None
            Of the linear part, which is zero by default.

        Raises
        ------
        ValueError
            If an array is missing, not expected, or of another shape.
        """
        theta = np.zeros(self.n_parameters, dtype=self.dtype)
        arrays = {
            "centroids": centroids,
            "inverse_radii": inverse_radii,
            "coefs": coefs,
            "intercepts": intercepts,
        }
        if linear_coefs is not None:
            shape = (self.sizes[0], self.sizes[-1]) if self.linear_part else None
            if np.shape(linear_coefs) != shape:
                raise ValueError(
                    f"'linear_coefs' must have shape {shape}, where None is that of a net without "
                    f"a linear part; got {np.shape(linear_coefs)}."
                )
            theta[self.linear_slice] = np.ravel(linear_coefs)
        unpacked = self.unpack(theta)
        for name, values in arrays.items():
            targets = unpacked[name]
            values = [None] * len(self.layers) if values is None else values
            if len(values) != len(targets):
                raise ValueError(
                    f"{name!r} must have an entry for each of the {len(targets)} layers; "
                    f"got {len(values)}."
                )
            for number, (target, value) in enumerate(zip(targets, values, strict=True)):
                if (target is None) != (value is None):
                    state = "must be None" if target is None else "is missing"
                    raise ValueError(f"{name}[{number}] {state}: layers are {self.layers}.")
                if target is None:
                    continue
                shape = np.shape(value)
                if shape != target.shape:
                    raise ValueError(
                        f"{name}[{number}] must have shape {target.shape}; got {shape}."
                    )
                target[...] = value
        return theta

    def decay_mask(self):
        """Return a vector that is 1 where weight decay acts and 0 elsewhere (at intercepts)."""
        mask = super().decay_mask()
        mask[self.linear_slice] = 1
        return mask

    def workspace(self, n_rows, keep_prob=1.0):
        """Return buffers for batches of `n_rows` and dropout that keeps the share `keep_prob`."""
        first, *others = self.layers
        layers = [first.workspace(n_rows, self.dtype)]
        layers += [layer.workspace(n_rows, self.dtype, keep_prob) for layer in others]
        last = memory.empty((n_rows, self.sizes[-1]), self.dtype)
        outputs = [work.input for work in layers[1:]] + [last]
        d_outputs = [memory.empty(out.shape, self.dtype) for out in outputs]
        return Workspace(layers, layers[0].X, outputs, d_outputs)

    def prepare(self, params, work):
        """Prepare `work` for passes with `params`, which :meth:`views` returns."""
        for layer, views, buffers in zip(self.layers, params, work.layers):
            layer.prepare(views, buffers)

    def run_forward(self, params, work, masks=()):
        """Pass the rows in `work.X` forward, after :meth:`prepare`; return the raw output.

        With dropout, `masks` has one for each hidden layer (see layers/dropout.py).
        """
        for number, layer in enumerate(self.layers):
            layer.forward(params[number], work.layers[number], work.outputs[number])
            if number < len(masks):
                after = number + 1
                self.layers[after].drop(params[after], work.layers[after], masks[number])
        self.add_linear_part(params, work)
        return work.outputs[-1]

    def add_linear_part(self, params, work):
        """Add the linear function of the rows in `work.X` to the raw output, if there is one."""
        if self.linear_part:
            work.outputs[-1] += work.X @ (self.linear_scale * params[-1]["linear_coefs"])

    def backward_linear_part(self, work, grads):
        """Write the gradient of the linear part's coefficients, if there is one."""
        if self.linear_part:
            np.matmul(work.X.T, work.d_outputs[-1], out=grads[-1]["linear_coefs"])
            grads[-1]["linear_coefs"] *= self.linear_scale

    def run_backward(self, params, work, grads, masks=()):
        """Fill `grads` (views of a vector) from the gradient in `work.d_outputs[-1]`."""
        self.backward_linear_part(work, grads)
        for number in reversed(range(len(self.layers))):
            layer, buffers, d_out = self.layers[number], work.layers[number], work.d_outputs[number]
            if number < len(masks):
                d_out *= masks[number]
            layer.backward(params[number], buffers, work.outputs[number], d_out, grads[number])
            if number > 0:
                layer.input_gradient(params[number], buffers, d_out, work.d_outputs[number - 1])

    def raw_output(self, theta, input_map, X):
        """Return the raw output (n_rows, n_outputs) for rows X in input units."""
        return layer_output(self, theta, input_map, X)

    def forward(self, theta, X):
        """Return the outputs of all layers, a list of arrays (n_rows, n_units).

        The last one is the raw output (logits or predictions). `theta` is (n_parameters,) and `X`
        (n_rows, n_inputs); another shape raises a ValueError.
        """
        _, work = self._pass_forward(theta, X)
        return [out.copy() for out in work.outputs]

    def loss_and_grad(self, theta, X, Y, sample_weight=None, decay=0.0, loss=None):
        """Return the loss, a float, and its gradient (n_parameters,).

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        X : array-like of shape (n_rows, n_inputs)
        Y : array-like of shape (n_rows, n_outputs)
            Class probabilities, such as one-hot rows, for the log-loss; else a numeric target.
        sample_weight : array-like of shape (n_rows,), default=None
            Divided by its sum.
        decay : float, default=0.0
            Adds ``decay / 2`` times the squared norm of all parameters but intercepts.
        loss : str, default=None
            A name in `LOSSES`, with its default settings. None means "log_loss" for a distance
            output and "squared_error" for a linear one.

        Raises
        ------
        ValueError
            For an unknown loss, and for arrays of a wrong shape or out of the range of the loss.
        """
        value, gradient, _, _ = self._differentiate(theta, X, Y, sample_weight, loss)
        if decay:
            decayed = self.decay_mask() * theta
            value += 0.5 * decay * float(decayed @ decayed)
            gradient += decay * decayed
        return value, gradient

    def input_gradient(self, theta, X, Y, sample_weight=None, loss=None):
        """Return the gradient of the loss with respect to X, of its shape; see `loss_and_grad`."""
        _, _, params, work = self._differentiate(theta, X, Y, sample_weight, loss)
        return self._input_gradient(params, work)

    def output_gradient(self, theta, X, d_raw):
        """Return the gradient with respect to X of the sum of the raw output times `d_raw`.

        `d_raw` is an array (n_rows, n_outputs). A missing value counts as 0.
        """
        params, work = self._pass_forward(theta, np.nan_to_num(X, nan=0.0))
        work.d_outputs[-1][...] = d_raw
        self.run_backward(params, work, self.views(np.empty(self.n_parameters, dtype=self.dtype)))
        return self._input_gradient(params, work)

    def _input_gradient(self, params, work):
        """Return the gradient by the rows, after a backward pass."""
        d_input = np.empty_like(work.X)
        self.layers[0].input_gradient(params[0], work.layers[0], work.d_outputs[0], d_input)
        if self.linear_part:
            d_input += work.d_outputs[-1] @ (self.linear_scale * params[-1]["linear_coefs"].T)
        return d_input

    def _differentiate(self, theta, X, Y, sample_weight, loss):
        target = np.asarray(Y, dtype=self.dtype)
        if target.ndim == 1:
            target = target[:, np.newaxis]
        params, work = self._pass_forward(theta, X)
        raw = work.outputs[-1]
        if loss is None:
            loss = "log_loss" if isinstance(self.layers[-1], Distance) else "squared_error"
        if loss not in LOSSES:
            raise ValueError(f"'loss' must be one of {sorted(LOSSES)} or None; got {loss!r}.")
        loss = LOSSES[loss]()
        check_target(loss, target, self.sizes[-1])
        if len(target) != len(raw):
            raise ValueError(
                f"X and Y must have as many rows; got shapes {work.X.shape} and {target.shape}."
            )
        weights = normalized_weights(sample_weight, len(raw), self.dtype)
        value = loss.value_and_gradient(raw, target, weights, out=work.d_outputs[-1])
        gradient = np.empty(self.n_parameters, dtype=self.dtype)
        self.run_backward(params, work, self.views(gradient))
        return value, gradient, params, work

    def _pass_forward(self, theta, X):
        """Return parameters, shifted like the rows, and a workspace after the forward pass."""
        X, theta = np.asarray(X), np.array(theta, dtype=self.dtype)
        if X.ndim != 2 or X.shape[1] != self.sizes[0] or not len(X):
            raise ValueError(
                f"X must have shape (n_rows, {self.sizes[0]}) with at least one row; got {X.shape}."
            )
        if theta.shape != (self.n_parameters,):
            raise ValueError(f"theta must have shape ({self.n_parameters},); got {theta.shape}.")
        params, work = self.views(theta), self.workspace(len(X))
        # A linear part needs the rows as they are.
        if isinstance(self.layers[0], Distance) and not self.linear_part:
            # Squares cancel far from zero; moving rows and centroids together changes no distance.
            wide = np.result_type(X.dtype, self.dtype)
            shift = X.mean(axis=0, dtype=wide).astype(self.dtype)
            work.X[...] = np.subtract(X, shift, dtype=wide)
            params[0]["centroids"] -= shift
        else:
            work.X[...] = X
        self.prepare(params, work)
        self.run_forward(params, work)
        return params, work
