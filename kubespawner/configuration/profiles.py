"""Settings of profiles: what users can choose before their server starts."""
from traitlets import Dict, HasTraits, List, Unicode, Union

from ..traitlets import Callable, DynamicDefault


class ProfileConfiguration(HasTraits):
    """Settings of profiles: what users can choose before their server starts."""

    profile_list = Union(
        [List(), Dict(), Callable()],
        config=True,
        help="""
        The profiles from which users can choose. The value is a list of dicts, or a dict whose values are used in the
        order of its keys.

        The value can also be a function that KubeSpawner calls with the spawner and that returns such a list or dict.
        It can be a coroutine. Before JupyterHub 0.9, that coroutine must return without waiting.

        If there is only one possible choice, users see no form, and KubeSpawner uses that profile. If the list contains
        an error, the hub logs it when a user opens the form or starts a server.

        A profile has these keys:

        - `display_name` (required) and `description`: what users see, as plain text. Use `markupsafe.Markup` for HTML.
        - `slug`: the name of the profile in the form and in the REST API. By default, KubeSpawner derives it from the
          `display_name`.
        - `default`: True for the profile that is used if the user does not choose one. By default, it is the first one.
        - `kubespawner_override`: a dict of settings for servers of this profile. All names of a setting are accepted.
        - `profile_options`: a dict of options, by name, with which users can adjust the profile.

        An option has these keys:

        - `display_name`: what users see. By default, it is the name of the option.
        - `choices`: a dict of choices, by name. Each is a dict with the keys `display_name`, `default` and
          `kubespawner_override`.
        - `unlisted_choice`: a dict that, with `'enabled': True`, lets users enter a value that is not in `choices`.

        An `unlisted_choice` can also have these keys:

        - `display_name` and `display_name_in_choices`: the label of the input field, and the entry in the list of
          choices.
        - `validation_regex`: a regular expression that must match the whole value. The hub is blocked while it matches,
          so avoid slow expressions. In any case, the value must be a single line of at most 1,000 characters. For a
          setting that can contain templates or variables, it must not contain braces or `$(`.
        - `validation_message`: what users see if the value does not match.
        - `kubespawner_override`: a dict of settings, in which `{value}` is replaced by the value. In a template, write
          `{{value}}` for the literal text `{value}`. If a setting rejects the value, the user sees an error and can
          correct it.

        KubeSpawner applies overrides as follows:

        - It applies the overrides of the profile first, and then those of the choices.
        - If the override is a dict, it is merged recursively into the value of the setting, and None removes a key. Any
          other override replaces the value.
        - If the override is a function, KubeSpawner calls it with the spawner and uses the result. The function can be
          a coroutine.
        - Overrides apply until the server stops. After a restart of the hub, a running server keeps only the overrides
          of `delete_grace_period`, `delete_stopped_pods`, `force_delete_after`, `poll_interval` and `start_timeout`.
        - A profile cannot override settings that affect more than one start, such as `namespace`, `component_label`,
          `delete_pvc`, `slug_scheme`, the connection to the Kubernetes API, and the settings in this section. It can
          override `pvc_name_template` only if `remember_pvc_name` is False.
        - JupyterHub reads `start_timeout` when the start begins. If a function in `profile_list` has to wait, the
          override of `start_timeout` comes too late.

        In the REST API, a choice is `{"profile": "SLUG", "OPTION": "CHOICE"}`, and a value that is not in `choices` is
        `{"OPTION--unlisted-choice": "VALUE"}`. A link to a choice is `/hub/spawn?profile=SLUG&OPTION=CHOICE`. A link
        cannot contain a value that is not in `choices`. Both accept a `display_name` instead of a slug or the name of a
        choice.
        """
    )

    profile_form_template = Unicode(
        '',
        config=True,
        help="""
        A Jinja2 template for the form in which users choose a profile. An empty string means the built-in form.

        The template can use these variables:

        - `profile_list`: the configured profiles, in which missing keys have their default values. `default` is True
          for the profile and the choices to preselect. Each `unlisted_choice` also has the key `value`: the text to
          show in its input field.
        - `note`: a message that explains why the user's last choice is no longer available, or an empty string.

        The form must send these fields:

        - `profile`: the slug of the profile.
        - `profile-option-SLUG--OPTION`: the name of a choice, or `unlisted-choice`.
        - `profile-option-SLUG--OPTION--unlisted-choice`: the value that the user entered.
        """
    )

    additional_profile_form_template_paths = List(
        Unicode(),
        config=True,
        help="""
        Directories with Jinja2 templates. KubeSpawner searches them for `form.html`, and for the templates that it
        includes, before it uses its own.
        """
    )

    options_form = DynamicDefault(
        config=True,
        help="""
        The form that users see before a server starts. The value is a string of HTML, or (since JupyterHub 0.9) a
        function that JupyterHub calls with the spawner and that returns one. By default, it is the form for
        `profile_list`.

        If you set your own form, KubeSpawner does not interpret its data. Set `options_from_form` to do that.
        """
    )
