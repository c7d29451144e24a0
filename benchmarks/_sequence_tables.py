"""Tables of the benchmark of sequences."""

from statistics import mean

from _ranks import count_outcomes, rank_models

__all__ = ["forecast_lines", "memory_lines", "rank_lines", "rank_row", "rows_of", "time_rows"]


def format_range(results, figure):
    """The mean of a figure over seeds; in brackets its smallest and largest value."""
    values = [result[figure] for result in results]
    if len(values) == 1:
        return f"{values[0]:.3g}"
    return f"{mean(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def models_of(results):
    return list(dict.fromkeys(model for _, model in results))


def average(results, task, model, figure="score"):
    return mean(result[figure] for result in results[task, model])


def rows_of(tasks, results, figure="score"):
    """A row for each task, of which `tasks` has descriptions by name; a column for each model."""
    return [
        {"task": task}
        | about
        | {
            model: format_range(results[task, model], figure) if (task, model) in results else "-"
            for model in models_of(results)
        }
        for task, about in tasks.items()
    ]


def time_rows(tasks, results):
    """A row for each task: the seconds of a fit and the predictions, as means over seeds."""
    return [
        {"task": task}
        | {
            model: f"{average(results, task, model, 'seconds'):.3g}"
            if (task, model) in results
            else "-"
            for model in models_of(results)
        }
        for task in tasks
    ]


def ranked(tasks, results):
    """Models with results on all tasks, and their mean ranks by mean accuracy."""
    models = [
        model for model in models_of(results) if all((task, model) in results for task in tasks)
    ]
    scores = [[average(results, task, model) for model in models] for task in tasks]
    return dict(zip(models, rank_models(scores).mean(axis=0).tolist()))


def rank_row(tasks, results):
    """A row of the mean ranks, for the end of the table of accuracies."""
    ranks = ranked(tasks, results)
    about = dict.fromkeys(next(iter(tasks.values())), "")
    return (
        {"task": "mean rank"}
        | about
        | {model: f"{ranks[model]:.2f}" if model in ranks else "-" for model in models_of(results)}
    )


# Comparisons of ours with its peers ---------------------------------------------------------------


def forecast_lines(tasks, results, ours):
    """In how many rows the recurrent net's mean error is at most that of each peer."""
    own = [task for task in tasks if (task, ours) in results]
    for model in models_of(results):
        rows = [task for task in own if (task, model) in results]
        if model != ours and rows:
            ahead = [
                task
                for task in rows
                if average(results, task, ours) <= average(results, task, model)
            ]
            names = f": {'; '.join(ahead)}" if ahead else ""
            yield f"{ours} at least as good as {model} in {len(ahead)} of {len(rows)} rows{names}"


def rank_lines(tasks, results, ours, peer):
    """Mean ranks of the recurrent net and a peer, and wins, ties and losses between them."""
    ranks = ranked(tasks, results)
    if ours in ranks and peer in ranks:
        own, other = ([average(results, task, model) for task in tasks] for model in (ours, peer))
        wins, ties, losses = count_outcomes(own, other)
        yield (
            f"mean rank of {ours} {ranks[ours]:.2f}, of {peer} {ranks[peer]:.2f}; "
            f"{wins} wins, {ties} ties, {losses} losses"
        )


def memory_lines(tasks, results):
    """The scores of all seeds, sorted."""
    for (task, model), seeds in results.items():
        scores = sorted(result["score"] for result in seeds)
        yield f"{task}, {model}: {', '.join(f'{score:.3g}' for score in scores)}"
