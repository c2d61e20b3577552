"""What other years call the profile form, and what reads it: for forms of operators and for subclasses.

Each of these hands on to what does the work, in `choosing`. traitlets takes a method `_NAME_default` for the default of
the trait NAME, so that they are in a class below the one that has the default. Everything runs on the IOLoop's thread.
"""
from .manifests import Manifests


class Form(str):
    """The text of a form, which code that expects a coroutine can await as well."""

    def __await__(self):
        return self
        yield


class LateForm:
    """The form of profiles that have to be asked for: what is called with a spawner, or awaited, for its text."""

    def __init__(self, render):
        self._render = render

    def __call__(self, spawner=None):
        return self._render(spawner)

    def __await__(self):
        rendered = self._render(None)
        if rendered.done():  # old futures would have to be waited for by tornado's loop
            return rendered.result()
        return (yield from rendered.__await__())


class FormNames(Manifests):
    """The part of KubeSpawner with the names of other years for the profile form."""

    def _options_form_default(self):
        """Return the form, a string that may be awaited; if `profile_list` is a function, what is called or awaited."""
        if callable(self.profile_list):
            return LateForm(self._profile_form)
        return Form(self._profile_form(self).result())

    def _render_options_form_dynamically(self, current_spawner=None):
        """Return a future of the form."""
        return self._profile_form(current_spawner)

    def _render_options_form(self, profile_list):
        """Return the form of a list of profiles, which are offered at the start if `profile_list` offers none."""
        self._profile_list = self._checked_list(profile_list)
        if self.profile_list:
            self._read_list = self._profile_list
        return Form(self._rendered(self._profile_list))

    def _get_initialized_profile_list(self, profile_list):
        """Return the profiles of a list with all keys filled in. Raises ValueError."""
        return self._checked_list(profile_list)

    def _init_profile_list(self, profile_list):
        """Return the same, as before 2023."""
        return self._get_initialized_profile_list(profile_list)

    def _options_from_form_default(self, formdata=None):
        """Return what reads the form, or what it reads there."""
        return self._options_from_form(formdata)
