"""Sections of the report about all models: differences, reliability, cost and settings."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..formats import clean, duration, file_size, interval, is_missing, plain, signed, significant
from ..statistics import find_best_other, the
from .held_out import HeldOut
from .pictures import predictions, probabilities, reliability

__all__ = ["advice", "cost_section", "differences", "held_out", "reliability_section"]
__all__ += ["settings_section"]

FAR_OFF = 4.0  # times the extent of all other models: that one would squeeze the others


def advice(comparison):
    """Return what the verdict means for the choice of a model; empty without a verdict."""
    other = find_best_other(comparison)
    if other is None or other.low is None:
        return ""
    ours = next(one for one in comparison.summaries if one.model == comparison.ours)
    if other.model == "constant" and other.high >= 0:
        return "Look for features that say more about the target before you choose a model."
    if other.low > 0:
        return f"Use {the(other.model)}."
    ratio = ours.fit_seconds / other.fit_seconds
    cost = f"a fit of ours takes {significant(ratio)} times as long as one of {the(other.model)}"
    if other.high < 0:
        return f"Use the {ours.model} if you can afford it: {cost}."
    losses = f"{comparison.loss_name} {significant(ours.loss, 3)} and {significant(other.loss, 3)}"
    return f"Choose between them by {losses}, by cost ({cost}), and by what you want to look into."


def held_out(comparison, model):
    """Return the predictions of a model for rows of all its splits, None without a split."""
    if not comparison.of(model):
        return None
    return HeldOut.of(comparison.table, *comparison.held_out_predictions(model))


def differences(comparison):
    """Return a dot and an interval for each model, in percent of the width, with the axis."""
    rows = [
        (one, [value for value in (one.low, one.difference, one.high) if not is_missing(value)])
        for one in comparison.summaries
        if not is_missing(one.difference)
    ]
    if not rows:
        return None
    low, high = limits([values for _, values in rows])

    def place(value):
        return round(float(np.clip(100 * (value - low) / (high - low), 0, 100)), 2)

    ticks = [tick for tick in MaxNLocator(4).tick_values(low, high) if low <= tick <= high]
    shown = []
    for one, values in rows:
        beyond = "low" if one.difference < low else "high" if one.difference > high else None
        ends = {"left": place(min(values)), "right": place(max(values))}
        shown.append({"summary": one, "dot": place(one.difference), "beyond": beyond} | ends)
    return {
        "rows": shown,
        "zero": place(0.0),
        "ticks": [(place(tick), plain(tick)) for tick in ticks],
    }


def limits(values):
    """Return the ends of an axis with zero that shows most of each row of values."""
    extents = sorted(max(map(abs, row)) for row in values)
    extent = extents[-1]
    if len(extents) > 1 and extent > FAR_OFF * extents[-2] > 0:
        extent = 1.5 * extents[-2]
    everything = np.clip(np.concatenate([[0.0], *values]), -extent, extent)
    low, high = everything.min(), everything.max()
    margin = 0.25 * (high - low) or 1.0
    return min(low - 0.05 * margin, -margin), max(high + 0.05 * margin, margin)


def reliability_section(comparison):
    """Return pictures of how far predictions of ours and of the best other model can be trusted."""
    other = find_best_other(comparison)
    names = [comparison.ours] + ([other.model] if other is not None else [])
    predicted = {name: held_out(comparison, name) for name in names}
    predicted = {name: one for name, one in predicted.items() if one is not None}
    if not predicted:
        return None
    if not comparison.table.is_classification:
        return {"figures": [scatter(names, *item) for item in predicted.items()]}
    classes = [clean(label) for label in comparison.table.classes]
    if len(classes) == 2:
        labels = comparison.table.classes
        curves = {
            name: (one.truth == labels[1], one.probabilities[:, 1])
            for name, one in predicted.items()
        }
        axes = f"predicted probability of {classes[1]}", f"share that is {classes[1]}"
    else:
        curves = {name: (one.is_right, one.confidence) for name, one in predicted.items()}
        axes = "probability of the predicted class", "share that is right"
    description = f"Reliability curves of {' and '.join(curves)}: {axes[1]} over {axes[0]}."
    curve = reliability("reliability", description, curves, *axes)
    description = f"Histograms of the {axes[0]} by {' and '.join(curves)}."
    sure = {name: probability for name, (_, probability) in curves.items()}
    histogram = probabilities("probabilities", description, sure, axes[0])
    return {
        "figures": [
            {"picture": curve, "kind": "curve"},
            {"picture": histogram, "kind": "histogram"},
        ]
    }


def scatter(names, name, predicted):
    index = names.index(name)
    description = f"True values over the predictions of {name}, with the diagonal."
    values = predicted.truth, predicted.predicted
    return {
        "picture": predictions(f"predictions-{index}", description, *values, index),
        "kind": "scatter",
        "name": name,
    }


def cost_section(comparison):
    """Return bars for the time to fit, the time to predict, and the size of each model."""
    measures = {
        "Fit": ("seconds for the training rows of a split", "fit_seconds", duration),
        "Prediction": ("for 1,000 rows", "predict_ms", lambda value: duration(value / 1000)),
        "Size": ("of the saved model", "n_bytes", file_size),
    }
    panels = []
    for title, (what, attribute, show) in measures.items():
        values = [getattr(one, attribute) for one in comparison.summaries]
        largest = max((value for value in values if not is_missing(value)), default=0.0) or 1.0
        bars = [
            {
                "name": one.model,
                "value": show(value),
                "share": 0.0 if is_missing(value) else value / largest,
            }
            for one, value in zip(comparison.summaries, values)
        ]
        panels.append({"title": title, "what": what, "bars": bars})
    return panels


def settings_section(comparison):
    """Return the settings of the run, and those that searches chose in each split."""
    chosen = [
        (one.model, one.split + 1, ", ".join(f"{key}={value!r}" for key, value in items))
        for model in comparison.models
        for one in comparison.of(model)
        if (items := one.setting.items())
    ]
    return {"run": list(comparison.settings.items()), "chosen": chosen}


def in_words(summary, score_name):
    """Return the difference of a model to ours as a sentence."""
    text = f"{summary.model}: {score_name} differs by {signed(summary.difference)}"
    if is_missing(summary.low) or is_missing(summary.high):
        return f"{text}."
    return f"{text}, 95 % interval {interval(summary.low, summary.high)}."
