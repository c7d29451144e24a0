"""The package keeps its shape: imports go downwards, classes stay small, calls stay shallow."""

import ast
import sys
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

import skdistnet
from skdistnet import DistanceNetClassifier, DistanceNetRegressor, RejectingClassifier
from skdistnet.engine.numerics import blas

ROOT = Path(skdistnet.__file__).parent
KINDS = [DistanceNetClassifier, DistanceNetRegressor]

#: Parts of the package from the bottom to the top. A module imports from its own part and from
#: lower levels only.
LEVELS = [
    ["_version", "engine.numerics"],
    ["engine.layers", "engine.losses", "engine.optim", "engine.input_scaling", "engine.parameters"],
    ["engine.prediction"],
    [
        "engine.network",
        "engine.recurrent_network",
        "engine.relevances",
        "engine.init",
        "engine.projection",
        "engine.quantile_map",
        "engine.categories",
    ],
    ["engine.training"],
    ["engine"],
    ["_novelty", "_targets"],
    ["_base"],
    ["metrics", "_dask"],
    ["classifier", "regressor", "recurrent", "rejection", "recipes"],
    ["ensemble", "dask"],
    ["inspection"],
    ["export"],
    ["displays"],
    ["compare"],
    ["__main__"],
    ["skdistnet"],
]
LEVEL_OF = {part: level for level, parts in enumerate(LEVELS) for part in parts}

#: Packages that a part may import besides the standard library, and those of the whole package.
ENGINE_NEEDS = {"numpy", "scipy", "threadpoolctl"}
NEEDS = ENGINE_NEEDS | {"sklearn", "joblib"}
DISPLAYS_NEED = NEEDS | {"matplotlib"}
EXPORT_NEEDS = NEEDS | {"onnx", "skl2onnx"}
DASK_NEEDS = NEEDS | {"dask", "distributed", "pandas"}
COMPARE_NEEDS = DISPLAYS_NEED | {"jinja2", "markupsafe", "pandas", "pyarrow", "rich"}


def module_name(path):
    names = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(names).removesuffix(".__init__")


def imported_names(path):
    """Yield the full name of each module, or name in a module, that a file imports."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def part_of(name):
    """Return the most specific part of `LEVELS` that a full name belongs to."""
    inner = name.removeprefix("skdistnet").removeprefix(".").split(".")
    for length in (2, 1):
        part = ".".join(inner[:length])
        if part in LEVEL_OF:
            return part
    return "skdistnet"


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}
every_module = pytest.mark.parametrize("name", MODULES)


def test_every_part_has_a_level():
    entries = [path for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()]
    names = {path.stem for path in entries} - {"__init__", "__pycache__"}
    assert names == {part for part in LEVEL_OF if "." not in part} - {"skdistnet"}
    entries = [path for path in (ROOT / "engine").iterdir() if path.stem[:2] != "__"]
    names = {f"engine.{path.stem}" for path in entries}
    assert names == {part for part in LEVEL_OF if "." in part}


@every_module
def test_modules_import_only_lower_levels(name):
    own = part_of(name)
    upward = {
        imported
        for imported in imported_names(MODULES[name])
        if imported.split(".")[0] == "skdistnet"
        and part_of(imported) != own
        and LEVEL_OF[part_of(imported)] >= LEVEL_OF[own]
    }
    assert not upward


@every_module
def test_modules_import_only_declared_dependencies(name):
    part = part_of(name)
    extras = {"displays": DISPLAYS_NEED, "export": EXPORT_NEEDS, "compare": COMPARE_NEEDS}
    extras |= {"dask": DASK_NEEDS, "_dask": DASK_NEEDS}
    allowed = extras.get(part, NEEDS)
    allowed = ENGINE_NEEDS if part.startswith("engine") else allowed
    packages = {imported.split(".")[0] for imported in imported_names(MODULES[name])}
    assert packages - sys.stdlib_module_names - {"skdistnet"} <= allowed


def test_number_of_constructor_parameters():
    assert len(DistanceNetClassifier().get_params()) <= 36
    assert len(DistanceNetRegressor().get_params()) <= 36


@pytest.mark.parametrize("kind", [*KINDS, RejectingClassifier])
def test_estimators_have_few_ancestors(kind):
    own = [each for each in kind.__mro__[1:] if each.__module__.split(".")[0] == "skdistnet"]
    assert len(own) <= 6


@pytest.mark.parametrize("kind", KINDS)
def test_fit_is_shallow(kind):
    """At most ten calls lead from `fit` to the first matrix product, both included."""
    stacks = []

    def record(frame, event, argument):
        if event == "call" and frame.f_code is blas.multiply.__code__ and not stacks:
            stacks.append([])
            while frame:
                stacks[0].append(frame.f_globals.get("__name__", ""))
                frame = frame.f_back

    net, (X, y) = kind(max_iter=1, random_state=0, tol=1e9), load_iris(return_X_y=True)
    before = sys.getprofile()
    sys.setprofile(record)
    try:
        net.fit(X, y)
    finally:
        sys.setprofile(before)
    depth = sum(name.split(".")[0] == "skdistnet" for name in stacks[0])
    assert 3 <= depth <= 10
