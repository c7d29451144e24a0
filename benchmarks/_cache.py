"""Results of the accuracy benchmark in a JSON file."""

import json
from dataclasses import replace

from _harness import read_results, source_digest, write_json

__all__ = ["Cache"]


class Cache:
    """Results by table, model, its settings and its library's version, seed and rows.

    The file holds a dict `results`, whose keys only distinguish. A value names its table, model and
    seed, and has the figures of :func:`_competitors.evaluate`.

    Parameters
    ----------
    path : str
    n_rows : int
        The largest number of rows of a table, 0 for all.
    """

    def __init__(self, path, n_rows):
        self.path, self.n_rows = path, n_rows
        self.content = read_results(path, {"results": {}}, "results")
        self.results, self.source = self.content["results"], source_digest()

    def key(self, table, model, seed):
        settings = json.dumps(model.identity(table.classes), sort_keys=True)
        return f"{table.name} | {model.name} | {settings} | seed {seed} | rows {self.n_rows}"

    def get(self, table, model, seed):
        """The result, or None if it failed or belongs to other data of the same name."""
        result = self.results.get(self.key(table, model, seed))
        if result is None or "error" in result or result["data"] != table.digest:
            return None
        return result

    def put(self, table, model, seed, result):
        """Add a result and write the file. A result of ours is stamped with the source's digest."""
        about = {"table": table.name, "model": model.name, "seed": seed, "rows": self.n_rows}
        about |= {"classes": table.classes, "shares_loss": table.shares_loss, "data": table.digest}
        if model.categories:
            about["categories"] = model.categories
        if model.is_ours:
            about["source"] = self.source
        self.results[self.key(table, model, seed)] = about | result
        write_json(self.path, self.content, announce=False)

    def is_stale(self, result):
        """Whether it is a result of ours with another state of the source."""
        return result.get("source", self.source) != self.source

    def variants(self, tables, n_seeds, ours):
        """Ours under labels other than that of `ours`, not ranked, each with its results by job.

        A label is left out unless it has results of all seeds on all tables, with categories taken
        in the same form.
        """
        digests, found = {table.name: table.digest for table in tables}, {}
        for result in self.results.values():
            name, table, seed = result["model"], result["table"], result["seed"]
            fits = result["rows"] == self.n_rows and result["data"] == digests.get(table)
            fits = fits and result.get("categories") == ours.categories
            if "source" in result and "error" not in result and fits and seed < n_seeds:
                found.setdefault(name, {})[table, name, seed] = result
        found.pop(ours.name, None)
        return [
            (replace(ours, name=name, ranked=False), results)
            for name, results in found.items()
            if len(results) == len(tables) * n_seeds
        ]

    def complete(self, tables, peers, n_seeds):
        """Those of the peers that have results of all seeds on all tables, with them by job."""
        for peer in peers:
            results = {
                (table.name, peer.name, seed): self.get(table, peer, seed)
                for table in tables
                for seed in range(n_seeds)
            }
            if None not in results.values():
                yield peer, results
