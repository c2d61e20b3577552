"""The benchmark: `python -m tests.bench` measures KubeSpawner and others on a real API server. Nothing here is a test.

`__main__` is the command line. `scenarios` says what is measured, in which order. `driver` runs in each subject's own
environment (`environments`) and does the measuring; `bare` is the subject that is no spawner. `cluster` and `node` are
what they run against, `rest` how all but the spawners talk to it. `report` and `charts` are what comes out.
"""
