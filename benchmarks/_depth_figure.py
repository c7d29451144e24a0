"""Draw the depth benchmark: accuracy by depth, gradients by layer, accuracy by learning rate."""

__all__ = ["draw"]

#: Ours in blue, green and orange; MLPClassifier's three in shades of grey.
COLORS = ["#0072B2", "#009E73", "#D55E00", "#222222", "#777777", "#B5B5B5"]
MARKERS = "osD^v<"
#: Smaller gradient norms are left out, since they would squeeze the others into a line.
LEAST_NORM = 1e-12


def draw_curves(ax, curves, percent=True, **style):
    """Draw a dict of curves, each with lists x and y; later ones thinner, so that none hides."""
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
    """Draw gradients after an epoch as solid lines, at the start as dotted ones."""
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
    """Draw rates at which training diverged as crosses at the bottom."""
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
    """Write a picture with a panel for each part in `curves`, a dict of lists x and y by name."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    parts = [part for part in PANELS if curves.get(part)]
    if not parts:
        print("no part with curves has been run: no figure")
        return
    size = (5.2 * len(parts), 4.4)
    figure, axes = plt.subplots(1, len(parts), figsize=size, squeeze=False, layout="constrained")
    for ax, part in zip(axes[0], parts):
        PANELS[part](ax, curves[part])
        ax.grid(alpha=0.3)
        if ax.get_legend() is None:
            ax.legend(fontsize=8)
    figure.savefig(path, dpi=110)
    print(f"wrote {path}")
