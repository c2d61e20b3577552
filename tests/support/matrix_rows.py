"""Which rows of the matrix a commit chooses, and the table of those that ran. Pure."""
import csv
import hashlib
import io


def further_rows(commit, rows, is_here, count=2):
    """Return (chosen, passed over), two lists of rows: the first in the order of the hashes of commit and row.

    commit (str): a hash. rows (iterable of str): those to choose from, in any order.
    is_here (callable): takes a row; says whether its Python is installed. Rows without are passed over.
    """
    chosen, passed_over = [], []
    for row in sorted(rows, key=lambda row: hashlib.sha256(('%s %s' % (commit, row)).encode()).digest()):
        if len(chosen) == count:
            break
        (chosen if is_here(row) else passed_over).append(row)
    return chosen, passed_over


def with_line(table, line, rows):
    """Return a table, a text in CSV with a header, with a line in place of the one that begins with the same row.

    line (list of str): its cells. rows (list of str): all that there are, in their order; lines of others are left out.
    """
    header, *lines = csv.reader(io.StringIO(table))
    by_row = {each[0]: each for each in lines + [line]}
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows([header] + [by_row[row] for row in rows if row in by_row])
    return text.getvalue()
