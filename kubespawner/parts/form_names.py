"""Names that other versions have for the profile form and its methods, for operators' forms and for subclasses.

Each method delegates to `user_options`. They are in a base class of the class that has the defaults, because traitlets
uses a method `_NAME_default` as the default of the trait NAME. Everything runs on the IOLoop's thread.
"""
from .manifests import Manifests


class Form(str):
    """The text of a form. Code that expects a coroutine can also await it."""

    def __await__(self):
        return self
        yield


class LateForm:
    """The form of a `profile_list` that is a function. Call it with a spawner, or await it, for its text."""

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
    """The part of KubeSpawner with the names that other versions have for the profile form."""

    def _options_form_default(self):
        """Return the form, a string that can be awaited, or a LateForm if `profile_list` is a function."""
        if callable(self.profile_list):
            return LateForm(self._profile_form)
        return Form(self._profile_form(self).result())

    def _render_options_form_dynamically(self, current_spawner=None):
        """Return a future of the form."""
        return self._profile_form(current_spawner)

    def _render_options_form(self, profile_list):
        """Return the form of a list of profiles. The start accepts them if `profile_list` is empty."""
        self._profile_list = self._checked_list(profile_list)
        if self.profile_list:
            self._read_list = self._profile_list
        return Form(self._rendered(self._profile_list))

    def _get_initialized_profile_list(self, profile_list):
        """Return the profiles of a list, with defaults for all missing keys. Raises ValueError."""
        return self._checked_list(profile_list)

    def _init_profile_list(self, profile_list):
        """Do the same as `_get_initialized_profile_list`, under its name before 2023."""
        return self._get_initialized_profile_list(profile_list)

    def _options_from_form_default(self, formdata=None):
        """Return the method that reads the form; with `formdata`, return what it reads."""
        return self._options_from_form(formdata)
