"""`python -m kubespawner.demo` runs the demo, which is in `commands`."""
import sys

from .commands.demo.main import main

if __name__ == '__main__':
    sys.exit(main())
