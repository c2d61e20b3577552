"""What is run from a command line. A hub needs nothing of this, and no other layer imports it."""
