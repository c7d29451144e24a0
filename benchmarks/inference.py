"""Compare the cost of predictions: time, rows a second, size of the file, memory.

Two classifiers, 784-100-100 on rows like images and 20-200, predict in single precision with one
thread: by `predict`, by onnxruntime, and by the Python file of `to_numpy`. Beside them stand
MLPClassifier of the same layers by `predict` and by onnxruntime, HistGradientBoosting and
LightGBM::

    python benchmarks/inference.py
    python benchmarks/inference.py --rounds 25 --markdown docs/benchmarks.md

Times are medians over rounds in which all ways take turns. Ratios compare times of the same round
with those of MLPClassifier, and of ONNX with MLPClassifier's in ONNX. Memory is the peak of a
process of its own that loads the model and predicts 10,000 rows, as Linux reports it. It needs the
extra `benchmarks`; rows of packages that are missing are left out.
"""

import argparse
import pickle
import runpy
import subprocess
import sys
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _epochs import make_data
from _harness import add_output_options, alternate, publish, quiet, ratio, seconds
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from skdistnet import DistanceNetClassifier
from skdistnet.export import to_numpy, to_onnx

#: Numbers of features and classes, hidden layers, and whether features are pixels.
TASKS = {"784-100-100": (784, 10, (100, 100), True), "20-200": (20, 5, (200,), False)}
N_TRAIN, N_ROWS, CALLS = 4_000, 10_000, 200
#: Programs that load a model and predict, for the measurement of memory.
LOADERS = {
    ".pickle": "import pickle; predict = pickle.load(open({path!r}, 'rb')).predict",
    ".py": "import runpy; predict = runpy.run_path({path!r})['predict']",
    ".onnx": (
        "import onnxruntime as ort; options = ort.SessionOptions()\n"
        "options.intra_op_num_threads = 1; session = ort.InferenceSession({path!r}, options)\n"
        "predict = lambda X: session.run(None, {{'X': X}})"
    ),
    ".txt": "import lightgbm; predict = lightgbm.Booster(model_file={path!r}).predict",
}
#: The peak that getrusage reports would include that of this process, before the program starts.
PEAK = (
    "import numpy as np\n{load}\npredict(np.load({rows!r}))\n"
    "print(next(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))"
)


def fitted_models(X, y, hidden):
    """Return fitted classifiers by name."""
    models = {
        "ours": DistanceNetClassifier(hidden, max_iter=5, early_stopping=False, random_state=0),
        "MLP": MLPClassifier(hidden, max_iter=5, random_state=0),
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
    }
    if find_spec("lightgbm"):
        from lightgbm import LGBMClassifier

        models["LightGBM"] = LGBMClassifier(n_jobs=1, verbose=-1, random_state=0)
    for name, model in models.items():
        print(f"fitting {name}", file=sys.stderr, flush=True)
        model.fit(X, y)
    return models


def write_models(models, X, folder):
    """Write the models in each form; return the path of each."""
    paths = {name: folder / f"{name}.pickle" for name in models}
    for name, path in paths.items():
        path.write_bytes(pickle.dumps(models[name]))
    paths["ours, NumPy file"] = to_numpy(models["ours"], folder / "ours.py")
    if "LightGBM" in models:
        paths["LightGBM"] = folder / "LightGBM.txt"
        models["LightGBM"].booster_.save_model(paths["LightGBM"])
    if find_spec("onnxruntime") and find_spec("skl2onnx"):
        import skl2onnx

        complete = {"missing_values": False}
        graphs = {
            "ours, ONNX": to_onnx(models["ours"]),
            "ours, ONNX without missing values": to_onnx(models["ours"], options=complete),
            "MLP, ONNX": skl2onnx.to_onnx(models["MLP"], X[:1], options={"zipmap": False}),
        }
        for name, graph in graphs.items():
            paths[name] = folder / f"{name}.onnx"
            paths[name].write_bytes(graph.SerializeToString())
    else:
        print("onnxruntime or skl2onnx is missing: no rows of ONNX", file=sys.stderr)
    return paths


def predictor(path, models):
    """Return the function that predicts by a file."""
    if path.suffix == ".py":
        return runpy.run_path(str(path))["predict"]
    if path.suffix == ".onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options)
        return lambda X: session.run(None, {"X": X})
    return models[path.stem].predict


def repeated(predict, X, calls):
    """Return the seconds of one of several calls."""
    return seconds(lambda: [predict(X) for _ in range(calls)]) / calls


def peak_memory(path, rows):
    """Return the peak, in MB, of a process that loads a model and predicts."""
    load = LOADERS[path.suffix].format(path=str(path))
    command = [sys.executable, "-c", PEAK.format(load=load, rows=str(rows))]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(run.stdout) / 1024


def size_of(path):
    """Return the kB of a model on disk."""
    parts = [path, path.with_suffix(".npz")] if path.suffix == ".py" else [path]
    return sum(part.stat().st_size for part in parts) / 1000


def task_rows(n_features, n_classes, hidden, are_pixels, rounds):
    """Return a row of the table for each way to predict, and the ratios of the bars."""
    X, y = make_data(N_ROWS, n_features, n_classes, "float32")
    if are_pixels:
        X = np.clip(X, 0.0, 1.0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = fitted_models(X[:N_TRAIN], y[:N_TRAIN], hidden)
        paths = write_models(models, X, folder)
        predict = {way: predictor(path, models) for way, path in paths.items()}
        single = {way: partial(repeated, f, X[:1], CALLS) for way, f in predict.items()}
        one = alternate(single, rounds)
        many = alternate({way: partial(repeated, f, X, 1) for way, f in predict.items()}, rounds)
        np.save(folder / "rows.npy", X)
        rows = []
        for way, path in paths.items():
            peer = "MLP, ONNX" if "ONNX" in way else "MLP"
            rows.append(
                {
                    "way": way,
                    "1 row, ms": 1e3 * float(np.median(one[way])),
                    "1 row / MLP": ratio(one, way, peer),
                    "10,000 rows, ms": 1e3 * float(np.median(many[way])),
                    "10,000 rows / MLP": ratio(many, way, peer),
                    "rows a second": f"{N_ROWS / float(np.median(many[way])):,.0f}",
                    "file, kB": size_of(path),
                    "memory, MB": peak_memory(path, folder / "rows.npy"),
                }
            )
        return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="default: %(default)s")
    add_output_options(parser, "inference.json")
    args = parser.parse_args()
    with quiet(), threadpool_limits(1):
        tables = {
            f"Inference, {name}, float32": task_rows(*task, args.rounds)
            for name, task in TASKS.items()
        }
    publish(tables, args, "inference")


if __name__ == "__main__":
    main()
