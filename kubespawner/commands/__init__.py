"""The commands. A hub does not need them, and no other layer imports them."""
