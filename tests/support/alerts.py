"""The alerts of docs/metrics.rst, as Prometheus itself evaluates them on what was scraped from a hub."""
import json
import os
import re
import shutil
import subprocess

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests import documentation

PROMTOOL = shutil.which('promtool')  # of Prometheus
LONG = 20  # minutes for which the last scrape is repeated: longer than an alert waits before it fires
FIRED = re.compile(r'alertname="(\w+)"')


def samples(text):
    """Return the values in the text of a scrape: a dict by (name, labels as a sorted tuple of pairs)."""
    return {(sample[0], tuple(sorted(sample[1].items()))): sample[2]
            for family in text_string_to_metric_families(text) for sample in family.samples}


def value(scrape, name, **labels):
    """Return the sum of all samples of a name that have these labels, among others."""
    return sum(number for (known, pairs), number in scrape.items()
               if known == name and set(labels.items()) <= set(pairs))


def rules():
    """Return the rules of the documentation, a list of dicts."""
    group, = yaml.safe_load(documentation.block('yaml', '- alert:'))['groups']
    return group['rules']


def firing(scrapes, directory):
    """Return the names of the alerts that fire some minutes after the last of some scrapes, a set.

    scrapes (list): what `samples` returned, a minute apart from each other. The values of the last one stay.
    """
    with open(os.path.join(directory, 'rules.yaml'), 'w') as f:
        f.write(documentation.block('yaml', '- alert:'))
    series = [{'series': _series(key), 'values': ' '.join([_number(scrape.get(key)) for scrape in scrapes]
                                                          + [_number(scrapes[-1].get(key))] * LONG)}
              for key in sorted(set().union(*scrapes)) if key[0].startswith('kubespawner_')]
    alerts = [rule['alert'] for rule in rules()]
    test = {'rule_files': ['rules.yaml'], 'evaluation_interval': '1m', 'tests': [
        {'interval': '1m', 'input_series': series, 'alert_rule_test': [
            {'alertname': alert, 'eval_time': '%dm' % (len(scrapes) + 7), 'exp_alerts': []} for alert in alerts]}]}
    path = os.path.join(directory, 'test.yaml')
    with open(path, 'w') as f:
        json.dump(test, f)
    result = subprocess.run([PROMTOOL, 'test', 'rules', path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = result.stdout.decode('utf8')
    fired = set(FIRED.findall(output))
    assert fired <= set(alerts) and bool(fired) == (result.returncode != 0), output
    return fired


def _series(key):
    name, labels = key
    return '%s{%s}' % (name, ','.join('%s=%s' % (label, json.dumps(text)) for label, text in labels))


def _number(number):
    return '_' if number is None else 'Inf' if number == float('inf') else repr(number)
