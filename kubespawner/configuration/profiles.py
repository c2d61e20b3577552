"""What users may choose before their server starts."""
from traitlets import Dict, HasTraits, List, Unicode, Union

from ..traitlets import Callable, Fresh


class ProfileConfiguration(HasTraits):
    """What users may choose before their server starts."""

    profile_list = Union(
        [List(), Dict(), Callable()],
        config=True,
        help="""
        The profiles that users choose from: a list of dicts, or a dict of them, which is sorted by its keys.

        Each may have:

        - `display_name`: what it is called; needed. `description`: a sentence or two about it.
        - `slug`: what it is called in the form and the REST API. By default it is made of the `display_name`.
        - `default`: True for the one that counts if nothing is chosen. By default it is the first one.
        - `kubespawner_override`: a dict of settings, by any of their names, for servers of this profile. A function is
          called with the spawner and returns the value; it may be a coroutine. A dict is merged with the setting's own,
          at all depths, and None in it removes a key. Settings that concern more than one start (`namespace`,
          `component_label`, `delete_pvc`, the API's, these) are not to be had, `pvc_name_template` only without
          `remember_pvc_name`. A `start_timeout` counts only if no function had to be waited for.
        - `profile_options`: a dict of further choices. Each has a `display_name` and `choices`, a dict of dicts that
          have a `display_name`, `default` and a `kubespawner_override`, which counts after the profile's. With an
          `unlisted_choice` of `{'enabled': True}` users may write a value of their own; it has a `display_name`,
          `display_name_in_choices`, a `validation_regex` that the whole value has to match, a `validation_message` for
          those that do not, and a `kubespawner_override`, where `{value}` stands for the value. Without a
          `validation_regex` any line of at most 1,000 characters goes, but no braces and no `$(` where those mean
          something; there `{{value}}` is the text `{value}`. A value that a setting refuses is the user's mistake.
          A slow expression stops the hub while it is matched.

        Or a function of the spawner that returns such a list, also a coroutine (which before JupyterHub 0.9 must not
        really wait). Texts are shown as they are, HTML only if it is a `Markup` of `markupsafe`.

        What one start overrides lasts until the server has stopped. After a restart of the hub only what ends a server
        does: `delete_grace_period`, `delete_stopped_pods`, `force_delete_after`, `poll_interval`, `start_timeout`.
        If there is nothing to choose, there is no form, and the only profile counts. By the REST API a choice is
        `{"profile": "SLUG", "OPTION": "CHOICE"}`, a value of one's own `{"OPTION--unlisted-choice": "VALUE"}`, a link
        `/hub/spawn?profile=SLUG&OPTION=CHOICE`, which cannot bring a value of one's own. Display names do, too.
        """
    )

    profile_form_template = Unicode(
        '',
        config=True,
        help="""
        A Jinja2 template for the form in which profiles are chosen, instead of the one that is built in.

        It gets `profile_list`: profiles as they are configured, in which nothing is left out, `default` is what is to
        be selected, and an `unlisted_choice` has a `value`; and `note`: why what the user chose last is not in it, or
        an empty text. What the form sends are `profile`, a slug; `profile-option-SLUG--OPTION`, the key of a choice or
        `unlisted-choice`; and for that one `profile-option-SLUG--OPTION--unlisted-choice`, the value.
        """
    )

    additional_profile_form_template_paths = List(
        Unicode(),
        config=True,
        help="""
        Directories in which templates are looked for first: `form.html`, and what it includes.
        """
    )

    options_form = Fresh(
        config=True,
        help="""
        The form that a user sees before a server starts, in HTML, or (since JupyterHub 0.9) a function of the spawner
        that returns it. By default that of `profile_list`. What another form sends is left to `options_from_form`.
        """
    )
