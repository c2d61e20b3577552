"""Halting a hub that no longer learns what happens to its objects: its process ends with a failure.

Why a hub is halted is said where that is found out, in the reflector. `halt` is called on watch threads.
"""
import atexit
import logging
import os
import sys

_halted = []


def halt(loop, log):
    """Stop the hub's loop: what the cache knows is out of date for good. Called on the watch thread."""
    log.critical('Halting the hub: it no longer learns what happens to pods.')
    _halted.append(loop)
    loop.add_callback(loop.stop)


@atexit.register
def _exit_with_failure():
    """End a process that was halted with exit code 1, for its supervisor.

    That is done after what was registered since this module was imported: JupyterHub's own ways to end come first.
    """
    if _halted:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(1)
