"""The benchmark's own words and sums: what its tables say, and when published figures are refused."""
import json
import os

import pytest

from tests.bench import published, report
from tests.bench.__main__ import arguments
from tests.bench.cluster import Cluster

PUBLISHED = {'checkout': '0123456789', 'code': 'as-measured'}


@pytest.fixture
def package(tmp_path):
    """A directory with a package in it; returns what writes a file of it."""
    def write(path, content):
        file = tmp_path / 'kubespawner' / path
        os.makedirs(str(file.parent), exist_ok=True)
        file.write_text(content)
        return published.code(str(tmp_path))

    write('spawner.py', 'start = 1')
    write('kube/cache.py', 'get = 1')
    return write


@pytest.mark.parametrize('path', ['spawner.py', 'kube/cache.py', 'kube/new.py', 'lifecycle/proxy/routes.py'])
def test_code_that_is_measured_is_other_code_once_it_changes(package, path):
    before = package('unrelated.txt', '')
    assert package(path, 'changed = 2') != before


@pytest.mark.parametrize('path', [
    'localkube/store.py', 'commands/demo/proxy.py', 'proxy/routes.py', 'html/form.html', 'README.rst',
    '__pycache__/spawner.cpython-311.pyc'])
def test_what_is_not_measured_may_change(package, path):
    before = package('unrelated.txt', '')
    assert package(path, 'changed = 2') == before


def test_code_that_moves_between_two_files_is_other_code(package):
    package('a.py', 'one')
    before = package('b.py', 'two')
    package('a.py', 'onetwo')
    assert package('b.py', '') != before


def test_what_is_published_names_no_file_of_the_machine():
    with open(published.FILE) as f:
        options = json.load(f)['options']
    assert options['publish'] and not any(isinstance(value, str) and os.sep in value for value in options.values())


@pytest.mark.parametrize('option, argument', [('json', '--json'), ('charts', '--charts'), ('saved', '--from')])
def test_the_raw_numbers_do_not_say_where_they_are_kept(option, argument):
    options = vars(arguments([argument, '/somewhere', '--runs', '2']))
    assert options[option] == '/somewhere'
    assert published.without_files(options)['runs'] == 2
    assert '/somewhere' not in published.without_files(options).values()


def test_figures_of_this_code_are_not_outdated():
    assert published.outdated(PUBLISHED, 'as-measured') == ''


@pytest.mark.parametrize('results', [
    PUBLISHED, dict(PUBLISHED, code='other'), {'checkout': '0123456789'},
    dict(PUBLISHED, code='now', checkout='0123456789 (changed)')])
def test_figures_of_other_code_are_refused_with_the_command_that_measures_again(results):
    assert published.outdated(results, 'now').endswith('    .venv/bin/python -m tests.bench --publish')


def results(**project):
    """Return results of the small form, in which the bare client has 1 everywhere, and the project 2 or what is said.

    A list has the numbers of several runs.
    """
    names = ['rate', 'cpu_per_start', 'cpu_per_stop', 'load_cpu', 'cpu_per_update']
    runs = max(len(numbers) for numbers in list(project.values()) + [[2]])
    return {'options': {'against': []}, 'records': [
        {'scenario': 'ratios', 'run': run, 'subject': subject,
         'measured': {name: 1 if subject == 'bare' else (project.get(name) or [2] * runs)[run] for name in names}}
        for run in range(runs) for subject in ('bare', 'project')]}


def test_a_cost_may_not_be_more_than_twice_the_published_one():
    assert published.worse(results(), results(cpu_per_start=[4])) == []
    assert published.worse(results(), results(cpu_per_start=[4.1])) == [
        "CPU per start: 4.10 of the bare client's; 2.00 is published"]


def test_a_rate_may_not_be_less_than_half_of_the_published_one():
    assert published.worse(results(), results(rate=[1])) == []
    assert published.worse(results(), results(rate=[0.9])) == [
        "servers started per second: 0.90 of the bare client's; 2.00 is published"]


def test_one_bad_run_of_several_is_no_bad_figure():
    assert published.worse(results(), results(cpu_per_update=[2, 50, 2])) == []


def test_a_run_is_compared_with_its_own_bare_client_as_the_machine_may_be_slower_in_another():
    slow = results(cpu_per_start=[2, 2, 2])
    for record in slow['records']:
        if record['run'] > 0:
            record['measured'] = {name: 10 * number for name, number in record['measured'].items()}
    assert published.worse(results(), slow) == []


def test_a_figure_that_was_never_published_fails_and_tells_how_to_publish():
    lines = published.worse({'options': {'against': []}, 'records': []}, results())
    assert len(lines) == len(report.RATIO_ROWS)
    assert lines[0].endswith('not published yet; run .venv/bin/python -m tests.bench --publish')


def test_a_figure_that_is_not_measured_any_more_fails():
    assert len(published.worse(results(), {'options': {'against': []}, 'records': []})) == len(report.RATIO_ROWS)


def test_the_table_says_the_limit_where_a_subject_did_not_finish():
    record = {'scenario': 'takeover', 'run': 0, 'taken_over': 10000}
    text = report.text({'options': {'against': ['7.1.0'], 'runs': 1}, 'records': [
        dict(record, subject='7.1.0', measured={}, limit=600),
        dict(record, subject='project', measured={'stall': 0.01, 'lists': 1})]})
    line = next(line for line in text.splitlines() if 'longest stall' in line)
    assert '> 600 s' in line and line.endswith('yes')


def test_the_title_says_the_number_of_runs_if_a_scenario_has_more_than_others():
    text = report.text({'options': {'against': [], 'runs': 2}, 'records': [
        {'scenario': 'burst', 'run': run, 'burst': count, 'subject': 'project', 'measured': {'rate': 50 + run}}
        for count, runs in ((20, 2), (100, 5)) for run in range(runs)]})
    assert 'checkout ?; medians of 2 runs.' in text
    assert '100 servers, all at once; medians of 5 runs ' in text and '20 servers, all at once  ' in text


def test_some_scenarios_can_have_more_runs():
    assert arguments([]).least_runs == {'hub': 3, 'ratios': 5}
    assert arguments(['--least-runs', 'spawns=4,hub=5']).least_runs == {'spawns': 4, 'hub': 5, 'ratios': 5}


@pytest.mark.parametrize('wrong', ['hubs=3', 'hub', 'hub=many'])
def test_runs_of_no_scenario_are_refused(wrong, capsys):
    with pytest.raises(SystemExit):
        arguments(['--least-runs', wrong])
    assert '--least-runs' in capsys.readouterr().err


def test_a_hub_is_compared_with_its_floor():
    record = {'scenario': 'hub', 'run': 0, 'in_flight': 100}
    text = report.text({'options': {'against': ['7.1.0'], 'runs': 1, 'hub_users': 300}, 'records': [
        dict(record, subject='floor', measured={'rate': 50, 'silence': 1.0}),
        dict(record, subject='7.1.0', measured={'rate': 30, 'silence': 0.5}),
        dict(record, subject='project', measured={'rate': 43, 'silence': 0.7})]})
    rate, silence = (next(line for line in text.splitlines() if label in line) for label in ('per second', 'health'))
    assert rate.split()[4:] == '50.0 /s  30.0 /s  43.0 /s  1.43  42.5 /s  yes'.split()
    assert silence.endswith('0.500 s   NO')


COUNTER = 'apiserver_request_total{code="200",group="",resource="%s",scope="%s",subresource="%s",verb="%s"} %s'
COUNTERS = [COUNTER % labels for labels in [
    ('pods', 'namespace', '', 'LIST', 2), ('events', 'namespace', '', 'LIST', 1), ('pods', 'cluster', '', 'LIST', 40),
    ('secrets', 'namespace', '', 'LIST', 80), ('pods', 'namespace', '', 'WATCH', 160),
    ('pods', 'resource', '', 'POST', 4), ('pods', 'resource', 'binding', 'POST', 320),
    ('pods', 'resource', 'status', 'PATCH', 640), ('persistentvolumeclaims', 'resource', '', 'GET', 8),
    ('pods', 'resource', '', 'DELETE', '1.6e+01'), ('nodes', 'resource', '', 'GET', 1280)]]


@pytest.fixture
def cluster(tmp_path):
    """A cluster that is not started, whose API server has counted some requests."""
    class Api:
        def request(self, method, path):
            assert (method, path) == ('GET', '/metrics')
            return '\n'.join(COUNTERS).encode('utf8')

    made = Cluster(str(tmp_path))
    made.api = Api()
    return made


def test_lists_of_pods_and_events_of_one_namespace_are_counted(cluster):
    assert cluster.lists() == 3


def test_requests_about_single_objects_are_counted_without_what_the_node_says_of_pods(cluster):
    assert cluster.requests() == 4 + 8 + 16
