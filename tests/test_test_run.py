"""The run of the tests: when it is spread, and what it says of tests that were skipped or named in vain."""
import os
from collections import Counter
from types import SimpleNamespace

import pytest

from tests.support import parallel, skips
from tests.support.named_files import NothingInVain

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.abspath(__file__)


def options(**more):
    """Return the options of pytest without arguments, and others."""
    return SimpleNamespace(**dict(dict(numprocesses=None, dist='no', tx=[], usepdb=False, trace=False, capture='fd',
                                       collectonly=False, kubeconfig=None), **more))


@pytest.mark.parametrize('names', [[HERE], [FILE, os.path.join(HERE, 'compat')]])
def test_directories_are_spread(names):
    assert parallel.is_wanted(options(), names)


@pytest.mark.parametrize('names', [[FILE], [FILE + '::test_directories_are_spread']])
def test_files_and_single_tests_are_not(names):
    assert not parallel.is_wanted(options(), names)


@pytest.mark.parametrize('said', [
    {'numprocesses': 0}, {'numprocesses': 4}, {'dist': 'load'}, {'tx': ['popen']}, {'usepdb': True}, {'trace': True},
    {'capture': 'no'}, {'collectonly': True}, {'kubeconfig': 'file'}])
def test_options_speak_against_it(said):
    assert not parallel.is_wanted(options(**said), [HERE])


def test_without_xdist_nothing_is_asked_of_it():
    option = SimpleNamespace()
    parallel.spread(SimpleNamespace(
        option=option, args=[HERE], pluginmanager=SimpleNamespace(hasplugin=lambda name: name != 'xdist')))
    assert vars(option) == {}


def test_the_processes_that_share_a_run_do_not_spread_it_again():
    option = options()
    parallel.spread(SimpleNamespace(
        option=option, args=[HERE], workerinput={}, pluginmanager=SimpleNamespace(hasplugin=lambda name: True)))
    assert option.numprocesses is None and option.dist == 'no'


def order_of(paths):
    items = [SimpleNamespace(fspath=path, number=number) for number, path in enumerate(paths)]
    parallel.put_in_order(items)
    return [item.number for item in items]


def test_what_takes_long_comes_first_and_a_file_keeps_its_order():
    assert order_of(['tests/test_a.py', 'tests/cluster/test_b.py', 'tests/cluster/test_b.py',
                     'tests/browser/test_c.py', 'tests/hub/test_metrics.py']) == [4, 3, 0, 1, 2]


def test_files_that_mostly_wait_are_spread_evenly_among_the_others():
    paths = ['tests/cluster/test_%d.py' % number for number in range(3)]
    paths += ['tests/test_%d.py' % number for number in range(6)]
    ordered = [number < 3 for number in order_of(paths)]
    assert [sum(ordered[start:start + 3]) for start in (0, 3, 6)] == [1, 1, 1]


def report(when='call', path=FILE, outcome='passed', **more):
    return SimpleNamespace(nodeid=os.path.basename(path) + '::test_it[a]', when=when, skipped=outcome == 'skipped',
                           longrepr=(path, 1, 'Skipped: no kubectl') if outcome == 'skipped' else None, **more)


@pytest.mark.parametrize('reports, idle', [
    ([], []),  # the file has no such tests, which pytest itself says
    ([report()], []),
    ([report('setup'), report()], []),
    ([report('setup', outcome='skipped')], [FILE]),
    ([report('setup'), report(outcome='skipped')], [FILE]),
    ([report('setup'), report(outcome='skipped', wasxfail='')], []),
    ([report('setup', outcome='skipped'), report()], []),
    ([report(path=os.path.join(HERE, 'conftest.py'))], []),
])
def test_a_named_file_that_only_skips_is_named_again_and_fails_the_run(reports, idle):
    plugin, session = NothingInVain(SimpleNamespace(args=[FILE], rootdir=HERE)), SimpleNamespace(exitstatus=0)
    for each in reports:
        plugin.pytest_runtest_logreport(each)
    assert plugin.idle() == idle
    plugin.pytest_sessionfinish(session, 0)
    assert bool(session.exitstatus) == bool(idle)


def test_reasons_are_counted_and_what_they_need_is_said_once():
    said = skips.lines(Counter({
        'needs a real node: --pod-gateway': 30, 'needs haproxy: apt-get install haproxy': 2,
        'needs a node that runs containers: --pod-gateway': 1, 'only so': 3}))
    assert said[0] == '    30  needs a real node: --pod-gateway' and len(said) == 5
    assert said[-1].startswith('To run them, use a cluster of .ci/kubernetes up-node for 31, haproxy for 2. ')


def test_skips_without_a_way_to_run_them_have_a_count_only():
    assert skips.lines(Counter({'only so': 1})) == ['     1  only so']


def test_skips_of_whole_files_count_and_expected_failures_do_not():
    plugin = skips.Skips()
    plugin.pytest_collectreport(report(outcome='skipped'))
    plugin.pytest_runtest_logreport(report(outcome='skipped'))
    plugin.pytest_runtest_logreport(report(outcome='skipped', wasxfail=''))
    plugin.pytest_runtest_logreport(report())
    assert plugin.reasons == {'no kubectl': 2}
