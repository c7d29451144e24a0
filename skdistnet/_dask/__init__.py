"""Training on a cluster: data in partitions, shards of rows, rounds of tasks."""
