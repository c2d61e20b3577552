"""Halting a hub that no longer learns about changes of its objects: its process exits with code 1.

The reflector decides when, and logs why. `halt` is called on watch threads.
"""
import atexit
import logging
import os
import sys

_halted = []


def halt(loop, log):
    """Stop the hub's loop, because the cache will never be up to date again. Called on the watch thread."""
    log.critical('Halting the hub: it no longer learns what happens to pods.')
    _halted.append(loop)
    loop.add_callback(loop.stop)


@atexit.register
def _exit_with_failure():
    """Exit with code 1, for the supervisor of the process.

    Exit handlers that were registered after the import of this module, such as JupyterHub's own, run first.
    """
    if _halted:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(1)
