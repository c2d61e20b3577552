"""Trait types that some of the supported versions of traitlets and JupyterHub lack. No traits of our own."""
from traitlets import TraitType


class Callable(TraitType):
    """A trait whose value can be called: a function, a bound method, a class, an object with `__call__`."""
    info_text = 'a callable'

    def validate(self, obj, value):
        if callable(value):
            return value
        self.error(obj, value)
