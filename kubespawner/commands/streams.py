"""Keeps standard output for what a command prints: what the code of an operator prints goes to standard error."""
import os
import sys
from contextlib import contextmanager, redirect_stdout

OUT, ERR = 1, 2  # file descriptors


@contextmanager
def output_to_stderr():
    """Print everything in a `with` block to standard error, also the output of programs that it starts."""
    sys.stdout.flush()
    with redirect_stdout(sys.stderr), _descriptor_of_stderr():
        yield


@contextmanager
def _descriptor_of_stderr():
    try:
        kept = os.dup(OUT)
    except OSError:  # the shell has closed standard output
        yield
        return
    try:
        _duplicate_stderr()
        yield
    finally:
        os.dup2(kept, OUT)
        os.close(kept)


def _duplicate_stderr():
    try:
        os.dup2(ERR, OUT)
    except OSError:  # the shell has closed standard error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, OUT)
        os.close(nowhere)
