"""Who is measured: a driver for each, in its own process and environment, and what all scenarios need.

What the drivers are told belongs in the scenarios.
"""
import json
import os
import select
import subprocess

from .report import PROJECT

DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'driver.py')
ANSWER_TIMEOUT = 1800  # seconds for one command


class Late(RuntimeError):
    """A subject took longer than it was given."""


class Bench:
    """What scenarios need.

    cluster (Cluster), pythons (dict): subject -> path of its Python.
    options: the command line's.
    """

    def __init__(self, cluster, pythons, options, log):
        self.cluster, self.pythons, self.options, self.log = cluster, pythons, options, log
        self.subjects = [PROJECT] + options.against
        self.versions, self.pod_bytes, self.event_bytes = {}, None, None

    def turns(self, scenario, subjects):
        """Yield (run, subject): every subject in every run of a scenario, in another order each time."""
        for run, ordered in enumerate(self.rounds(scenario, subjects)):
            for subject in ordered:
                yield run, subject

    def rounds(self, scenario, subjects):
        """Yield the subjects of each run of a scenario, as a list: another one is first each time."""
        for run in range(max(self.options.runs, self.options.least_runs.get(scenario, 1))):
            first = run % len(subjects)
            yield subjects[first:] + subjects[:first]

    def stand(self, namespace, pods):
        """Have so many standing pods in a namespace."""
        self.log('%d pods are to stand there' % pods)
        self.pod_bytes = self.cluster.grow(namespace, pods)

    def driver(self, subject, namespace):
        return Subject(self, subject, namespace)


class Subject:
    """`with Subject(bench, subject, namespace) as do: answer = do('load', settle=1)`: a driver in its own process."""

    def __init__(self, bench, subject, namespace):
        self.bench, self.subject, self.namespace = bench, subject, namespace

    def __enter__(self):
        self.errors = open(os.path.join(self.bench.cluster.directory, 'driver-%s.log' % self.subject), 'ab')
        self.process = subprocess.Popen(
            # -E: without PYTHONPATH, so that each has what is installed there
            [self.bench.pythons[self.subject], '-E', DRIVER, self.subject, self.namespace],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, start_new_session=True,
            env=dict(os.environ, KUBECONFIG=self.bench.cluster.kubeconfig))
        return self

    def __exit__(self, *exc_info):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()

    def __call__(self, do, within=ANSWER_TIMEOUT, **arguments):
        """Give a command; return the answer with its readings in it. Raises Late if it takes more seconds than that."""
        self.process.stdin.write((json.dumps(dict(arguments, do=do)) + '\n').encode('utf8'))
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], within)[0]:
            raise Late('%s did not answer to "%s" in %d s' % (self.subject, do, within))
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError('%s ended; see %s' % (self.subject, self.errors.name))
        answer = json.loads(line.decode('utf8'))
        if 'versions' in answer:
            self.bench.versions[self.subject] = answer['versions']
        return dict(answer, **answer.pop('readings') or {})
