"""Measure how distance nets and MLPClassifier train as they get deeper, on MNIST or digits.

All nets have layers of 100 units and batches of 100; pixels are divided by 255. Precision is single
unless a table names another, and all nets of a table train for the same epochs. The parts:

- "recipe": the published recipe beside the figures of its authors' code;
- "defaults": both kinds of nets at their defaults;
- "depth": test accuracy by number of layers;
- "signal": how much of the classes the outputs of untrained layers retain;
- "gradients": gradient norms layer by layer;
- "solvers": plain gradients against RMSProp and Adam.

A JSON file keeps the result of each training run, so that parts can be run one by one and an
interrupted benchmark continues::

    python benchmarks/depth.py --quick
    python benchmarks/depth.py --data FOLDER/mnist.npz --figure depth.png
    python benchmarks/depth.py --data FOLDER/mnist.npz --parts depth --seeds 1

A file holds arrays X (n, 28, 28) or (n, 784) of bytes, y, X_test and y_test.
"""

import argparse

from _depth_parts import FULL, PARTS, QUICK, Bench
from _depth_runs import Ledger, read_digits, read_images
from _harness import print_table, write_section
from threadpoolctl import threadpool_limits


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    names = list(PARTS)
    add("--data", metavar="FILE", help="images as an .npz file; needed unless --quick")
    add("--quick", action="store_true", help="scikit-learn's digits, two minutes in all")
    add("--parts", nargs="+", choices=names, default=names, help="parts to run; default: all")
    add("--seeds", type=int, help="seeds of recipe, defaults and depth; default: 3, --quick 1")
    add("--threads", type=int, default=1, help="BLAS threads; default: %(default)s")
    add("--fresh", action="store_true", help="repeat the runs that the JSON file holds")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--figure", metavar="FILE", help="picture to draw; needs matplotlib")
    add("--output", metavar="FILE", help="JSON to write; default: depth.json, or depth_quick.json")
    args = parser.parse_args()
    if (args.data is None) != args.quick:
        parser.error("give either --data FILE or --quick")
    args.output = args.output or ("depth_quick.json" if args.quick else "depth.json")
    args.seeds = args.seeds or (1 if args.quick else 3)
    return args


def main():
    args = parse_arguments()
    images = read_digits() if args.quick else read_images(args.data)
    ledger = Ledger(args.output, images.name, args.fresh)
    bench = Bench(images, QUICK if args.quick else FULL, ledger, args.seeds)
    content = ledger.content
    with threadpool_limits(args.threads, user_api="blas"):
        for part in args.parts:
            content["tables"][part], content["curves"][part] = PARTS[part](bench)
            ledger.write(announce=False)
            for title, table in content["tables"][part].items():
                print_table(title, table)
    if ledger.n_stale:
        print(
            f"NOTE: {ledger.n_stale} results come from another state of the source; "
            "--fresh repeats them"
        )
    ledger.write()
    if args.markdown:
        # All parts in the file, also those of earlier runs.
        tables = {}
        for part in PARTS:
            tables |= content["tables"].get(part, {})
        write_section(args.markdown, "depth", tables)
    if args.figure:
        from _depth_figure import draw

        draw(args.figure, content["curves"])


if __name__ == "__main__":
    main()
