#!/usr/bin/env python3
"""Evaluates the views of a pipeline on a Ballista cluster, into Parquet for the sender to read.

    evaluate.py PIPELINE.toml --cluster df://HOST:50050 --to FOLDER [--each VIEW=COLUMN,COLUMN]
                [--tasks NUMBER]

The pipeline file stays as it is, and is the only place where views are written down. Standard output
has the options with which `chatferry` reads what was evaluated in the place of these views.

Views that flows read are evaluated, each in the order of its flow (`order_by`). With `--each` a view
is evaluated by itself for each value of these columns, in their order, into a file of its own: such as
messages by year and month. What is there already is left as it is, so after an interruption the same
command goes on.

The pipeline's folders and FOLDER must be at the same place on this machine and on all of the cluster.
"""

import argparse
import itertools
import os
import pathlib
import re
import shlex
import sys
import tomllib

import pyarrow as pa
import pyarrow.parquet as pq
from ballista import BallistaSessionContext

# What the sender's engine is told of SQL, so that a view means the same here.
SQL = {
    "datafusion.sql_parser.enable_ident_normalization": "false",
    # One file holds one order.
    "datafusion.execution.minimum_parallel_output_files": "1",
}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("pipeline", type=pathlib.Path)
    arguments.add_argument("--cluster", required=True, metavar="df://HOST:PORT")
    arguments.add_argument("--to", required=True, type=pathlib.Path, metavar="FOLDER")
    arguments.add_argument("--each", action="append", default=[], metavar="VIEW=COLUMN,COLUMN")
    arguments.add_argument("--tasks", type=int, default=16, metavar="NUMBER")
    arguments = arguments.parse_args()

    pipeline = tomllib.loads(arguments.pipeline.read_text())
    each = dict(view.split("=", 1) for view in arguments.each)
    views = read_by_flows(pipeline)
    if unknown := each.keys() - views.keys():
        sys.exit(f"--each {', '.join(unknown)}: no flow reads such a view")

    config = SQL | {"datafusion.execution.target_partitions": arguments.tasks}
    cluster = BallistaSessionContext(arguments.cluster, cluster_config=config)
    register_tables(cluster, pipeline, arguments.pipeline.parent)
    register_views(cluster, pipeline)
    to = arguments.to.resolve()
    for view, order in views.items():
        evaluate(cluster, view, order, each.get(view), to / view)
    print(shlex.join(options(views, to)))


def read_by_flows(pipeline):
    """The views that flows read, each with the order in which its flow does."""
    found = {}
    for flow in pipeline["flow"]:
        view, order = flow["from"], flow.get("order_by", [])
        order = [order] if isinstance(order, str) else order
        if view not in pipeline.get("views", {}):
            continue
        if found.setdefault(view, order) != order:
            sys.exit(f"two flows read {view} in different orders; give each a view of its own")
    return found


def register_tables(cluster, pipeline, beside):
    """Tells the cluster where the tables of the pipeline's sources are."""
    for source, settings in pipeline["sources"].items():
        tables = settings.get("tables")
        if settings["connector"] != "parquet" or not tables:
            sys.exit(f"sources.{source}: only Parquet with `tables` can be read here; "
                     "`chatferry snapshot` makes Parquet of any source")
        cluster.sql(f"CREATE SCHEMA {source}").collect()
        for table, path in tables.items():
            path = (beside / settings.get("root", ".") / path).resolve()
            # Up to the first pattern; what is below is told by folders such as `year=2025`.
            fixed = list(itertools.takewhile(lambda part: "*" not in part, path.parts))
            folder = pathlib.Path(*fixed)
            cluster.register_parquet(f"{source}.{table}", folder, partitions(folder))


def partitions(folder):
    """The columns that folders such as `year=2025` make, with their types."""
    values = {}
    for path in folder.rglob("*.parquet"):
        for part in path.relative_to(folder).parent.parts:
            name, _, value = part.partition("=")
            values.setdefault(name, set()).add(value)

    # The cluster finds a folder by its value, so `month=03` is text to it: 3 would be `month=3`.
    def whole(found):
        return all(re.fullmatch("0|[1-9][0-9]*", value) for value in found)

    return [(name, pa.int64() if whole(found) else pa.string()) for name, found in values.items()]


def register_views(cluster, pipeline):
    """Plans the views, each after those that it reads."""
    waiting = dict(pipeline["views"])
    while waiting:
        failed = {}
        for view, query in waiting.items():
            try:
                query = cluster.sql(query, param_values=pipeline.get("variables", {}))
                cluster.register_view(view, query)
            except Exception as error:
                failed[view] = error
        if len(failed) == len(waiting):
            view, error = next(iter(failed.items()))
            sys.exit(f"views.{view} cannot be evaluated on a cluster: {error}\n"
                     "chatferry's own functions are not there; use them in the fields of flows")
        waiting = {view: waiting[view] for view in failed}


def evaluate(cluster, view, order, each, folder):
    """Writes the view into files that lie in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    order = f" ORDER BY {', '.join(order)}" if order else ""
    for name, where, rows in parts(cluster, view, each):
        done = folder / f"{name}.parquet"
        if done.exists():
            print(f"{done} is there already", file=sys.stderr)
            continue
        # The sender does not see what begins with `_`. With an ending it is one file, in one order.
        unfinished = folder / f"_{name}.parquet"
        unfinished.unlink(missing_ok=True)
        cluster.sql(f"SELECT * FROM {view}{where}{order}").write_parquet(unfinished)
        written = pq.read_metadata(unfinished).num_rows
        if written != rows:
            sys.exit(f"{unfinished} has {written} rows, and the view has {rows} there")
        os.replace(unfinished, done)
        print(f"{done} is written, {rows} rows", file=sys.stderr)


def parts(cluster, view, each):
    """The parts of a view: the name of the file, the condition, and how many rows there are."""
    if each is None:
        counted = cluster.sql(f"SELECT count(*) AS rows FROM {view}").collect()
        return [("all", "", counted[0].to_pylist()[0]["rows"])]
    columns = each.split(",")
    counted = f"SELECT {each}, count(*) AS rows FROM {view} GROUP BY {each} ORDER BY {each}"
    counted = [row for batch in cluster.sql(counted).collect() for row in batch.to_pylist()]
    found = []
    for row in counted:
        values = [row[column] for column in columns]
        name = "-".join(map(part_name, values))
        are = map(condition, columns, values)
        found.append((name, f" WHERE {' AND '.join(are)}", row["rows"]))
    names = [name for name, _, _ in found]
    if names != sorted(set(names)):
        sys.exit(f"--each {view}={each}: names of files would not be in the order of these values")
    return found


def part_name(value):
    """A name that sorts as the values do."""
    text = f"{value:010}" if isinstance(value, int) else str(value)
    return re.sub("[^0-9A-Za-z.-]", "~", text)


def condition(column, value):
    if value is None:
        return f"{column} IS NULL"
    text = str(value)
    return f"{column} = " + (text if isinstance(value, int) else "'" + text.replace("'", "''") + "'")


def options(views, folder):
    """What has the sender read the files in the place of the views."""
    settings = ["sources.evaluated.connector=parquet", f"sources.evaluated.root={folder}"]
    for view in views:
        settings.append(f"sources.evaluated.tables.{view}={view}/*.parquet")
        settings.append(f"views.{view}=SELECT * FROM evaluated.{view}")
    return [word for setting in settings for word in ("--set", setting)]


if __name__ == "__main__":
    main()
