"""How distance nets train as they get deeper, beside MLPClassifier: MNIST, or digits for a look.

Layers of 100 units, batches of 100, pixels divided by 255, single precision unless a table says
otherwise, the same epochs for all in a table. Parts: "recipe", the published recipe beside the
reference's own figures; "defaults"; "depth", test accuracy by number of layers; "signal", what
untrained layers let through; "gradients", their norms layer by layer; "solvers", plain gradients
against RMSProp and Adam; "best", a wide net. Each training is kept in a JSON file when it is over,
so that parts can be run one by one and a run that was stopped goes on where it was::

    python benchmarks/depth.py --quick
    python benchmarks/depth.py --data FOLDER/mnist.npz --figure depth.png
    python benchmarks/depth.py --data FOLDER/mnist.npz --parts depth --seeds 1
    python benchmarks/depth.py --data FOLDER/mnist.npz --parts best --threads 2 --fashion FILE

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
    add("--fashion", metavar="FILE", help="other images for the part best")
    add("--fresh", action="store_true", help="train again what the JSON holds")
    add("--markdown", metavar="FILE", help="write the tables into this file too")
    add("--figure", metavar="FILE", help="picture to draw; needs matplotlib")
    add("--output", metavar="FILE", help="JSON to write; default: depth.json, or depth_quick.json")
    args = parser.parse_args()
    if (args.data is None) != args.quick:
        parser.error("give either --data FILE or --quick")
    args.output = args.output or ("depth_quick.json" if args.quick else "depth.json")
    args.seeds = args.seeds or (1 if args.quick else 3)
    return args


def run_parts(args, ledger):
    """Run the parts asked for; their tables and curves go into the file, part by part."""
    images = read_digits() if args.quick else read_images(args.data)
    jobs = [(part, part, images) for part in args.parts]
    if args.fashion and "best" in args.parts:
        other = read_images(args.fashion)
        jobs.append((f"best, {other.name}", "best", other))
    for name, part, rows in jobs:
        bench = Bench(rows, QUICK if args.quick else FULL, ledger, args.seeds)
        tables, curves = PARTS[part](bench)
        ledger.content["tables"][name] = tables
        ledger.content["curves"][name] = curves
        ledger.write(announce=False)
        for title, table in tables.items():
            print_table(title, table)


def write_sections(markdown, content):
    """Tables of the parts in the file, in their order; wide nets have sections of their own."""
    known, sections = content["tables"], {}
    for name in sorted(known, key=lambda name: (list(PARTS).index(name.split(",")[0]), name)):
        section = name.replace("best", "wide") if name.startswith("best") else "depth"
        sections.setdefault(section, {}).update(known[name])
    for name, tables in sections.items():
        write_section(markdown, name, tables)


def main():
    args = parse_arguments()
    name = "digits" if args.quick else read_images(args.data).name
    ledger = Ledger(args.output, name, args.fresh)
    with threadpool_limits(args.threads, user_api="blas"):
        run_parts(args, ledger)
    if ledger.stale:
        print(
            f"NOTE: {ledger.stale} results come from another state of the source; --fresh trains "
            "again"
        )
    ledger.write()
    if args.markdown:
        write_sections(args.markdown, ledger.content)
    if args.figure:
        from _depth_figure import draw

        draw(args.figure, ledger.content["curves"])


if __name__ == "__main__":
    main()
