"""Combinations of options for tests: all of them, or enough for every pair."""

from itertools import combinations, product


def all_combinations(factors):
    """Return every combination of the values of factors, as dicts."""
    return [dict(zip(factors, values)) for values in product(*factors.values())]


def all_pairs(factors):
    """Return few combinations in which every pair of values of two factors occurs.

    Each is the one with most pairs that are still missing; the first of them, in their order.
    """
    candidates = [(each, pairs_of(each)) for each in all_combinations(factors)]
    missing, chosen = set().union(*(pairs for _, pairs in candidates)), []
    while missing:
        best, pairs = max(candidates, key=lambda each: len(each[1] & missing))
        missing -= pairs
        chosen.append(best)
    return chosen


def pairs_of(combination):
    """Return the set of pairs of entries of a dict."""
    return set(combinations(sorted(combination.items(), key=lambda entry: entry[0]), 2))


def label(combination):
    """Return a combination as the name of a test."""
    return "-".join(map(str, combination.values()))
