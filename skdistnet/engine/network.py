"""A network: an ordered list of layers over one flat parameter vector."""

from types import SimpleNamespace

import numpy as np

from .layers import LAYERS, Distance
from .layers.activations import ACTIVATIONS
from .layers.distances import RADIUS_TYPES
from .layers.kernels import KERNELS
from .losses import LOSSES, check_target, normalized_weights
from .numerics import memory

__all__ = ["OUTPUT_LAYERS", "NamedViews", "Network"]

OUTPUT_LAYERS = ("distance", "linear")


class NamedViews(dict):
    """A dict whose keys are attributes too, like scikit-learn's Bunch."""

    __getattr__ = dict.__getitem__


class Network:
    """Distance and dot-product layers in any order, over one flat parameter vector.

    A network holds its shape and nothing else. Parameters are a vector `theta` of `n_parameters`
    numbers, made by :meth:`pack` and read by :meth:`unpack`, so that a solver works on one array.

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs, units of each hidden layer, number of outputs.
    activations : str or sequence of str, default="gaussian"
        For each hidden layer. A kernel ("gaussian", "cauchy") makes it a distance layer; "relu",
        "tanh", "logistic" or "identity" makes it a dot-product layer.
    output_layer : {"distance", "linear"}, default="distance"
        -1/2 squared distance to a centroid for each output, or affine.
    radius_type : {"diag", "spherical", "tied"}, default="diag"
        One inverse radius for each input of each unit, one for each unit, or one for each input.
    dtype : dtype, default=numpy.float64
        Of parameters and of all computation.

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
    ):
        self.sizes = tuple(int(size) for size in sizes)
        n_hidden = len(self.sizes) - 2
        if isinstance(activations, str):
            activations = [activations] * n_hidden
        self.activations = tuple(activations)
        self.dtype = np.dtype(dtype)
        self._check(n_hidden, output_layer, radius_type)
        self.layers = tuple(self._make_layers(output_layer, radius_type))
        bounds = np.cumsum([0, *(layer.n_parameters for layer in self.layers)])
        self.slices = tuple(map(slice, bounds[:-1].tolist(), bounds[1:].tolist()))
        self.n_parameters = int(bounds[-1])

    def _check(self, n_hidden, output_layer, radius_type):
        if n_hidden < 0 or min(self.sizes) < 1:
            raise ValueError(f"'sizes' must be at least two positive ints; got {self.sizes}.")
        if len(self.activations) != n_hidden:
            raise ValueError(
                f"'activations' must name one for each of the {n_hidden} hidden layers; "
                f"got {list(self.activations)}."
            )
        for name in self.activations:
            allowed = sorted([*KERNELS, *ACTIVATIONS])
            if name not in allowed:
                raise ValueError(f"'activations' must be among {allowed}; got {name!r}.")
        if output_layer not in OUTPUT_LAYERS:
            raise ValueError(
                f"'output_layer' must be one of {list(OUTPUT_LAYERS)}; got {output_layer!r}."
            )
        if radius_type not in RADIUS_TYPES:
            raise ValueError(
                f"'radius_type' must be one of {sorted(RADIUS_TYPES)}; got {radius_type!r}."
            )

    def _make_layers(self, output_layer, radius_type):
        for n_inputs, n_units, name in zip(self.sizes, self.sizes[1:], self.activations):
            if name in KERNELS:
                yield LAYERS["distance"](n_inputs, n_units, name, radius_type)
            else:
                yield LAYERS["dense"](n_inputs, n_units, name)
        if output_layer == "distance":
            yield LAYERS["distance"](self.sizes[-2], self.sizes[-1], None, radius_type)
        else:
            yield LAYERS["dense"](self.sizes[-2], self.sizes[-1], "identity")

    # Parameters -----------------------------------------------------------------------------------

    def views(self, vector):
        """For each layer a dict of named views into `vector`."""
        return [
            layer.views(vector[part]) for layer, part in zip(self.layers, self.slices, strict=True)
        ]

    def unpack(self, vector):
        """Name the parts of a parameter vector, or of a gradient.

        Parameters
        ----------
        vector : ndarray of shape (n_parameters,)

        Returns
        -------
        views : NamedViews
            Keys "centroids", "inverse_radii", "coefs" and "intercepts", each a list over layers of
            views into `vector`, None where the layer is of the other kind.
        """
        layers = self.views(vector)
        names = [name for kind in ("distance", "dense") for name in LAYERS[kind].parameter_names]
        return NamedViews({name: [views.get(name) for views in layers] for name in names})

    def pack(self, centroids=None, inverse_radii=None, coefs=None, intercepts=None):
        """Make a parameter vector; the inverse of :meth:`unpack`.

        Parameters
        ----------
        centroids, inverse_radii : list of array-like of shape (n_units, n_inputs)
            One for each layer, None where it is a dot-product layer. Inverse radii may have any
            shape that the radius type allows.
        coefs, intercepts : list of array-like of shape (n_inputs, n_units) and (n_units,)
            One for each layer, None where it is a distance layer.

        Returns
        -------
        theta : ndarray of shape (n_parameters,)
        """
        given = {
            "centroids": centroids,
            "inverse_radii": inverse_radii,
            "coefs": coefs,
            "intercepts": intercepts,
        }
        theta = np.zeros(self.n_parameters, dtype=self.dtype)
        for name, targets in self.unpack(theta).items():
            values = given[name] if given[name] is not None else [None] * len(self.layers)
            if len(values) != len(targets):
                raise ValueError(
                    f"{name!r} must have an entry for each of the {len(targets)} layers; "
                    f"got {len(values)}."
                )
            for number, (target, value) in enumerate(zip(targets, values, strict=True)):
                if (target is None) != (value is None):
                    state = "must be None" if target is None else "is missing"
                    raise ValueError(f"{name}[{number}] {state}: layers are {self.layers}.")
                if target is not None:
                    if np.shape(value) != target.shape:
                        raise ValueError(
                            f"{name}[{number}] must have shape {target.shape}; "
                            f"got {np.shape(value)}."
                        )
                    target[...] = value
        return theta

    def decay_mask(self):
        """A vector with 1 where decay acts and 0 elsewhere (the intercepts)."""
        mask = np.zeros(self.n_parameters, dtype=self.dtype)
        for layer, views in zip(self.layers, self.views(mask), strict=True):
            for name in layer.decayed_names:
                views[name][...] = 1
        return mask

    def radius_mask(self):
        """A vector of bools: which parameters are inverse radii."""
        mask = np.zeros(self.n_parameters, dtype=bool)
        for views in self.views(mask):
            if "inverse_radii" in views:
                views["inverse_radii"][...] = True
        return mask

    # Passes through the layers --------------------------------------------------------------------

    def workspace(self, n_rows, kept=1.0):
        """Allocate all buffers of the passes over a batch of `n_rows`.

        The rows are put into `X`. Each layer writes its output straight to where the next one wants
        its input; `outputs[-1]` is the raw output and `d_outputs` holds the gradients by `outputs`.
        Where dropout has left a share `kept` of it, a layer needs its own output on the way back.
        """
        first, *others = self.layers
        layers = [first.workspace(n_rows, self.dtype)]
        layers += [layer.workspace(n_rows, self.dtype, kept) for layer in others]
        last = memory.empty((n_rows, self.sizes[-1]), self.dtype)
        outputs = [work.whole for work in layers[1:]] + [last]
        return SimpleNamespace(
            layers=layers,
            X=layers[0].X,
            outputs=outputs,
            d_outputs=[memory.empty(out.shape, self.dtype) for out in outputs],
        )

    def prepare(self, params, work):
        """Get `work` ready for passes with `params`, as from :meth:`views`."""
        for layer, views, buffers in zip(self.layers, params, work.layers):
            layer.prepare(views, buffers)

    def run_forward(self, params, work, masks=()):
        """Forward pass of the rows in `work.X`, which :meth:`prepare` has got ready.

        With dropout there are masks, one for each hidden layer (see dropout.py).
        """
        for number, layer in enumerate(self.layers):
            layer.forward(params[number], work.layers[number], work.outputs[number])
            if number < len(masks):
                after = number + 1
                self.layers[after].drop(params[after], work.layers[after], masks[number])
        return work.outputs[-1]

    def run_backward(self, params, work, grads, masks=()):
        """Fill `grads` (as from :meth:`views`) from the gradient in `work.d_outputs[-1]`."""
        for number in reversed(range(len(self.layers))):
            layer, buffers, d_out = self.layers[number], work.layers[number], work.d_outputs[number]
            if number < len(masks):
                d_out *= masks[number]
            layer.backward(params[number], buffers, work.outputs[number], d_out, grads[number])
            if number > 0:
                layer.input_gradient(params[number], buffers, d_out, work.d_outputs[number - 1])

    # The doors used from outside ------------------------------------------------------------------

    def forward(self, theta, X):
        """Output of every layer.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        X : array-like of shape (n_rows, n_inputs)

        Returns
        -------
        outputs : list of ndarray of shape (n_rows, n_units)
            One for each layer; the last is the raw output (logits or predictions).
        """
        theta, work = self._enter(theta, X)
        params = self.views(theta)
        self.prepare(params, work)
        self.run_forward(params, work)
        return [out.copy() for out in work.outputs]

    def loss_and_grad(self, theta, X, Y, sample_weight=None, decay=0.0, loss=None):
        """Loss of rows X with target Y, and its gradient by the parameters.

        Parameters
        ----------
        theta : ndarray of shape (n_parameters,)
        X : array-like of shape (n_rows, n_inputs)
        Y : array-like of shape (n_rows, n_outputs)
            Class probabilities, such as one-hot rows, for the log-loss; else numbers.
        sample_weight : array-like of shape (n_rows,), default=None
            The loss is divided by their sum.
        decay : float, default=0.0
            Adds ``decay / 2`` times the squared norm of all parameters but intercepts.
        loss : str, default=None
            A name of `LOSSES`, with its default settings. None is "log_loss" for a distance
            output and "squared_error" for a linear one.

        Returns
        -------
        value : float
        gradient : ndarray of shape (n_parameters,)
        """
        value, gradient, _, _ = self._differentiate(theta, X, Y, sample_weight, loss)
        if decay:
            decayed = self.decay_mask() * theta
            value += 0.5 * decay * float(decayed @ decayed)
            gradient += decay * decayed
        return value, gradient

    def input_gradient(self, theta, X, Y, sample_weight=None, loss=None):
        """Gradient of the loss by the inputs, shape (n_rows, n_inputs); see `loss_and_grad`."""
        _, _, params, work = self._differentiate(theta, X, Y, sample_weight, loss)
        d_input = np.empty_like(work.X)
        self.layers[0].input_gradient(params[0], work.layers[0], work.d_outputs[0], d_input)
        return d_input

    def _differentiate(self, theta, X, Y, sample_weight, loss):
        target = np.asarray(Y, dtype=self.dtype)
        if target.ndim == 1:
            target = target[:, np.newaxis]
        theta, work = self._enter(theta, X)
        if loss is None:
            loss = "log_loss" if isinstance(self.layers[-1], Distance) else "squared_error"
        if loss not in LOSSES:
            raise ValueError(f"'loss' must be one of {sorted(LOSSES)} or None; got {loss!r}.")
        loss = LOSSES[loss]()
        check_target(loss, target, self.sizes[-1])
        if len(target) != len(work.X):
            raise ValueError(
                f"X and Y must have as many rows; got shapes {work.X.shape} and {target.shape}."
            )
        params = self.views(theta)
        self.prepare(params, work)
        raw = self.run_forward(params, work)
        weights = normalized_weights(sample_weight, len(raw), self.dtype)
        value = loss.value_and_gradient(raw, target, weights, out=work.d_outputs[-1])
        gradient = np.empty(self.n_parameters, dtype=self.dtype)
        self.run_backward(params, work, self.views(gradient))
        return value, gradient, params, work

    def _enter(self, theta, X):
        """Theta and a workspace holding X, both shifted to where squares do not cancel."""
        X, theta = np.asarray(X), np.array(theta, dtype=self.dtype)
        if X.ndim != 2 or X.shape[1] != self.sizes[0] or not len(X):
            raise ValueError(
                f"X must have shape (n_rows, {self.sizes[0]}) with at least one row; got {X.shape}."
            )
        if theta.shape != (self.n_parameters,):
            raise ValueError(f"theta must have shape ({self.n_parameters},); got {theta.shape}.")
        work = self.workspace(len(X))
        if isinstance(self.layers[0], Distance):
            # Distances do not change when rows and centroids move together (see distances.py).
            wide = np.result_type(X.dtype, self.dtype)
            shift = X.mean(axis=0, dtype=wide).astype(self.dtype)
            work.X[...] = np.subtract(X, shift, dtype=wide)
            self.views(theta)[0]["centroids"][...] -= shift
        else:
            work.X[...] = X
        return theta, work
