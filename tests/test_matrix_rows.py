"""Which rows of the matrix CI runs for a commit, and the table of those that ran."""
import csv
import glob
import os
from collections import Counter

from tests import documentation
from tests.support.matrix_rows import further_rows, with_line

ROWS = ['py36-jh08', 'py36-jh10', 'py37-jh15', 'py38-jh31', 'py39-jh31', 'py310-jh41', 'py311-jh41', 'py312-fresh']
COMMITS = ['%040x' % number for number in range(200)]


def everywhere(row):
    return True


def test_a_commit_always_chooses_the_same_rows_whatever_their_order():
    first = further_rows(COMMITS[0], ROWS, everywhere)
    assert first == further_rows(COMMITS[0], reversed(ROWS), everywhere)
    assert len(set(first[0])) == 2 and first[1] == []


def test_commits_choose_every_row_now_and_then():
    counts = Counter(row for commit in COMMITS for row in further_rows(commit, ROWS, everywhere)[0])
    assert set(counts) == set(ROWS)
    assert max(counts.values()) < 4 * min(counts.values())


def test_a_row_whose_python_is_missing_is_passed_over_for_the_next():
    (first, second), _ = further_rows(COMMITS[0], ROWS, everywhere)
    chosen, passed_over = further_rows(COMMITS[0], ROWS, lambda row: row != first)
    assert chosen[0] == second and len(chosen) == 2
    assert passed_over == [first]


def test_fewer_rows_are_chosen_if_there_are_no_more():
    assert further_rows(COMMITS[0], ROWS, lambda row: row == 'py37-jh15')[0] == ['py37-jh15']
    assert further_rows(COMMITS[0], [], everywhere) == ([], [])


TABLE = 'Row,unit tests,Commit\npy36-jh08,1 passed,aaaaaaa\npy37-jh15,"1 passed, 1 failed",bbbbbbb\n'


def test_a_row_that_ran_again_replaces_its_line():
    assert with_line(TABLE, ['py36-jh08', '2 passed', 'ccccccc'], ROWS) == TABLE.replace(
        '1 passed,aaaaaaa', '2 passed,ccccccc')


def test_a_new_row_has_its_place_in_the_order_of_all():
    assert with_line(TABLE, ['py36-jh10', '2 passed, 1 skipped', 'ccccccc'], ROWS) == TABLE.replace(
        'py37', 'py36-jh10,"2 passed, 1 skipped",ccccccc\npy37')


def test_a_row_that_is_no_more_leaves_the_table():
    assert with_line(TABLE, ['py37-jh15', '2 passed', 'ccccccc'], ['py37-jh15']) == (
        'Row,unit tests,Commit\npy37-jh15,2 passed,ccccccc\n')


def test_the_documentation_shows_only_rows_that_there_are():
    pinned = {os.path.basename(path)[:-len('.txt')]
              for path in glob.glob(os.path.join(documentation.ROOT, 'tests', 'constraints', '*.txt'))}
    fresh = {row.split('-')[0] + '-fresh' for row in pinned}
    with open(os.path.join(documentation.DOCS, 'tested.csv'), encoding='utf8') as f:
        header, *lines = csv.reader(f)
    assert {line[0] for line in lines} <= pinned | fresh
    assert {len(line) for line in lines} == {len(header)}
