"""A gated recurrent unit of PyTorch, which reads its last and its mean state."""

import numpy as np
import torch

__all__ = ["fit_and_predict_gru"]


class GRUNet(torch.nn.Module):
    """A layer of gated recurrent units, and an affine readout of the last and the mean state."""

    def __init__(self, n_inputs, n_units, n_outputs):
        super().__init__()
        self.gru = torch.nn.GRU(n_inputs, n_units, batch_first=True)
        self.readout = torch.nn.Linear(2 * n_units, n_outputs)

    def forward(self, X):
        states, _ = self.gru(X)
        return self.readout(torch.cat([states[:, -1], states.mean(dim=1)], dim=1))


def train(net, X, y, loss, rate, n_epochs, batch_size):
    """Adam, a cosine schedule and gradients clipped at a norm of 1."""
    solver = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(solver, n_epochs)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(X)).split(batch_size):
            solver.zero_grad()
            loss(net(X[rows]), y[rows]).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            solver.step()
        schedule.step()


def fit_and_predict_gru(X, y, X_test, classes, *, n_units, n_epochs, batch_size, rate, seed):
    """Predictions of a net trained in single precision; inputs and targets are standardised."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    mean, deviation = X.mean(axis=(0, 1)), X.std(axis=(0, 1))
    X, X_test = (
        torch.from_numpy(((part - mean) / deviation).astype(np.float32)) for part in (X, X_test)
    )
    if classes:
        net, loss = GRUNet(X.shape[2], n_units, len(np.unique(y))), torch.nn.CrossEntropyLoss()
        target = torch.from_numpy(y)
    else:
        net, loss = GRUNet(X.shape[2], n_units, 1), torch.nn.MSELoss()
        target = torch.from_numpy(((y - y.mean()) / y.std()).astype(np.float32)[:, None])
    train(net, X, target, loss, rate, n_epochs, batch_size)
    with torch.no_grad():
        outputs = net(X_test).numpy()
    return outputs.argmax(axis=1) if classes else outputs[:, 0] * y.std() + y.mean()
