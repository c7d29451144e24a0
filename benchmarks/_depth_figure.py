"""The picture of the depth benchmark: accuracy by depth, gradients by layer, accuracy by rate."""

__all__ = ["draw"]

#: Ours in blue, green and orange; MLPClassifier's three in shades of grey.
COLORS = ["#0072B2", "#009E73", "#D55E00", "#222222", "#777777", "#B5B5B5"]
MARKERS = "osD^v<"
#: Smaller norms of gradients are as good as none, and would squeeze the rest into a line.
LEAST_NORM = 1e-12


def draw_curves(ax, curves, percent=True, **style):
    """Draw a dict of curves, each with lists x and y; later ones thinner, so that all are seen."""
    for i, (name, curve) in enumerate(curves.items()):
        y = [100 * value for value in curve["y"]] if percent else curve["y"]
        stroke = {"linewidth": 3 - 0.4 * i, "markersize": 8 - i, "marker": MARKERS[i]}
        ax.plot(curve["x"], y, color=COLORS[i], label=name, **stroke, **style)


def draw_depth(ax, curves):
    draw_curves(ax, curves)
    layers = next(iter(curves.values()))["x"]
    ax.set_xscale("log")
    ax.set_xticks(layers, labels=map(str, layers))
    ax.minorticks_off()
    ax.set(title="Depth", xlabel="hidden layers", ylabel="test accuracy, %", ylim=(0, 100))
    ax.legend(fontsize=8, loc=(0.36, 0.36))


def draw_gradients(ax, curves):
    """Solid after an epoch, dotted at the start."""
    for stage, style in (("after an epoch", "-"), ("start", ":")):
        chosen = {
            name.removesuffix(f", {stage}"): {
                "x": curve["x"],
                "y": [norm if norm > LEAST_NORM else float("nan") for norm in curve["y"]],
            }
            for name, curve in curves.items()
            if name.endswith(f", {stage}")
        }
        draw_curves(ax, chosen, percent=False, linestyle=style)
        if stage == "after an epoch":
            ax.legend(fontsize=8)
    last = max(curve["x"][-1] for curve in curves.values())
    ax.set_xticks([1, *range(5, last + 1, 5)])
    ax.set(
        title="Gradients after an epoch; dotted: at the start",
        xlabel="hidden layer",
        ylabel=f"norm of the gradient, where it exceeds {LEAST_NORM:g}",
        yscale="log",
    )


def draw_solvers(ax, curves):
    """Crosses, at the bottom, are rates at which training diverged."""
    draw_curves(ax, curves)
    for i, curve in enumerate(curves.values()):
        ax.plot(curve["diverged"], [2 + 2 * i] * len(curve["diverged"]), "x", color=COLORS[i])
    ax.set(
        title="Solvers on the recipe; crosses: diverged",
        xlabel="learning rate",
        ylabel="test accuracy, %",
        xscale="log",
        ylim=(0, 100),
    )


PANELS = {"depth": draw_depth, "gradients": draw_gradients, "solvers": draw_solvers}


def draw(path, curves):
    """Write a picture with a panel for each part that there are curves of.

    Parameters
    ----------
    path : str
    curves : dict of str to dict
        For each part, lists x and y by name.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    there = [part for part in PANELS if curves.get(part)]
    if not there:
        print("no part with curves has been run: no figure")
        return
    size = (5.2 * len(there), 4.4)
    figure, axes = plt.subplots(1, len(there), figsize=size, squeeze=False, layout="constrained")
    for ax, part in zip(axes[0], there):
        PANELS[part](ax, curves[part])
        ax.grid(alpha=0.3)
        if ax.get_legend() is None:
            ax.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")
