"""What the report advises after the verdict."""

import pytest
from compared_tables import make_comparison, make_table

from skdistnet.compare.report.model_sections import advice
from skdistnet.compare.splits import make_splits
from skdistnet.compare.statistics import summarize

NET = "distance net"
ADVICE = {
    "better": ({NET: [0.8, 0.81], "MLP": [0.5, 0.52]}, "Use the distance net if you can afford it"),
    "worse": ({NET: [0.5, 0.52], "MLP": [0.8, 0.81]}, "Use the MLP."),
    "open": (
        {NET: [0.7, 0.81], "MLP": [0.8, 0.71]},
        "Choose between them by log-loss 0.500 and 0.500",
    ),
    "constant": ({NET: [0.7, 0.7], "constant": [0.8, 0.7]}, "Look for features that say more"),
    "single": ({NET: [0.7], "MLP": [0.8]}, ""),
    "alone": ({NET: [0.7, 0.8]}, ""),
}


@pytest.mark.parametrize(("scores", "text"), ADVICE.values(), ids=ADVICE)
def test_advice_follows_the_verdict(scores, text):
    table = make_table()
    comparison = make_comparison(table, make_splits(table, 5, 1, 0)[0], scores)
    comparison.summaries = summarize(comparison)
    sentence = advice(comparison)
    assert sentence.startswith(text)
    assert bool(sentence) == bool(text)
