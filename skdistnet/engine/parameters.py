"""One flat parameter vector over the layers of a network, and named views into it."""

import numpy as np


class NamedViews(dict):
    """A dict whose keys are attributes too, like scikit-learn's Bunch."""

    __getattr__ = dict.__getitem__


class LayeredParameters:
    """Base of networks: `layers` one after the other in a vector of `n_parameters` numbers."""

    def __init__(self, layers, dtype):
        self.layers, self.dtype = tuple(layers), np.dtype(dtype)
        bounds = np.cumsum([0, *(layer.n_parameters for layer in self.layers)]).tolist()
        self.slices = tuple(map(slice, bounds[:-1], bounds[1:]))
        self.n_parameters = bounds[-1]

    def views(self, vector):
        """Return a dict of named views into `vector` for each layer."""
        return [layer.views(vector[part]) for layer, part in zip(self.layers, self.slices)]

    def decay_mask(self):
        """Return a vector that is 1 where weight decay acts and 0 elsewhere (at intercepts)."""
        decayed = {name for layer in self.layers for name in layer.decayed_names}
        return self.parameter_mask(decayed).astype(self.dtype)

    def parameter_mask(self, names):
        """Return a vector of bools that marks the parameters of these names."""
        mask = np.zeros(self.n_parameters, dtype=bool)
        for views in self.views(mask):
            for name in views.keys() & names:
                views[name][...] = True
        return mask
