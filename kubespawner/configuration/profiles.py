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

        If there is only one possible choice, users see no form, and KubeSpawner uses that profile. A hub whose list has
        errors logs them and does not start. Errors in the list that a function returns are logged when a user opens the
        form or starts a server.

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
        - `validation_regex`: a regular expression that must match the whole value. The value is also rejected if
          matching takes more than about 0.02 seconds. In any case, it must be a single line of at most 1,000
          characters. For a setting that can contain templates or variables, it must not contain braces or `$(`.
        - `validation_message`: what users see if the value does not match.
        - `kubespawner_override`: a dict of settings, in which `{value}` is replaced by the value. In a template, write
          `{{value}}` for the literal text `{value}`. If a setting rejects the value, the user sees an error and can
          correct it.

        KubeSpawner applies overrides as follows:

        - The overrides of choices are applied after those of the profile.
        - A dict is merged with a dict, at all levels, and None removes a key.
        - A dict for a setting whose value is a list adds its values, in the order of its keys. A list for a setting
          whose value is a dict adds its items to the values of that dict. So `volumes` can be one or the other.
        - Any other value replaces the value of the setting.
        - A function is called with the spawner and returns the value. It may be a coroutine.
        - Overrides apply until the server has stopped. If the hub restarts in the meantime, it keeps only those of
          `delete_grace_period`, `delete_stopped_pods`, `force_delete_after`, `namespace`, `poll_interval` and
          `start_timeout`.
        - With `namespace` or `pvc_name_template`, a profile has a claim of its own. A server that comes back to the
          profile finds it again. Neither setting can contain a value of the user's own.
        - A profile cannot override settings that concern more than one start, such as `component_label`, `delete_pvc`,
          `slug_scheme`, the settings of the Kubernetes API, and those in this section.
        - A name that is no setting is an attribute of the spawner until the server has stopped. The hub's log has a
          warning, unless a subclass has the attribute, and an error if the name looks like a misspelt setting.
        - An override of `start_timeout` has no effect if KubeSpawner had to wait for one of these functions.

        Without a choice, or with an empty string as the choice, a server gets the default.

        In the REST API, a choice is `{"profile": "SLUG", "OPTION": "CHOICE"}`, and a value of the user's own is
        `{"OPTION--unlisted-choice": "VALUE"}`. A link is `/hub/spawn?profile=SLUG&OPTION=CHOICE`; it cannot contain a
        value of the user's own. Both accept display names in place of slugs and choices. Further keys stay in
        `user_options`, for hooks. The hub's log has a warning if KubeSpawner knows of no hook that reads them.
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
        The form that users see before a server starts: a string of HTML, or a function of the spawner that returns one.
        The default is the form of `profile_list`. The function may be a coroutine, but before JupyterHub 0.9 only one
        that does not have to wait.

        The function may set `profile_list` and return `spawner._options_form_default()`, which is the form of these
        profiles. KubeSpawner reads the fields that `profile_form_template` describes, in any form, and keeps further
        fields in `user_options` as they are: lists of strings. A setting of `options_from_form` replaces all that.
        """
    )
