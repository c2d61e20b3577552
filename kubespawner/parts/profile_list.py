"""Reading a list of profiles, with errors and warnings for the operator.

What a list may contain is in `profiles`, and which settings a profile may override is in `overrides`. Everything runs
on the IOLoop's thread.
"""
from .. import profiles
from ..messages.errors import one_line

MOST_WARNINGS = 1000  # that are remembered, so as not to be repeated


class ProfileList:
    """Reads a configured list of profiles.

    overrides (Overrides): knows the settings and attributes of the spawner.
    log (logging.Logger): gets the errors and warnings.
    logged (set): the warnings that were logged, which are not repeated. All spawners of a configuration share it.
    """

    def __init__(self, overrides, log, logged):
        self._overrides, self._log, self._logged = overrides, log, logged

    def checked(self, listed):
        """Return the profiles of a list; warn of what is probably not meant that way. Raises profiles.Mistakes."""
        try:
            offered = profiles.checked(listed)
            wrong = list(self._wrong_settings(offered))
        except ValueError as e:
            offered, wrong = [], profiles.mistakes(e)
        if wrong:
            raise profiles.Mistakes(one_line('KubeSpawner.profile_list: %s' % mistake) for mistake in wrong)
        for warning in profiles.warnings(listed, self._overrides.is_setting):
            self.warn_once('KubeSpawner.profile_list: %s' % warning)
        return offered

    def check(self, listed):
        """Log all mistakes in a list as errors. Raises nothing."""
        try:
            offered = self.checked(listed)
        except ValueError as e:
            self.log_mistakes(e)
            return
        for where, name, _ in profiles.settings_of(offered):
            self._check_name(where, name, self._log.error)

    def log_mistakes(self, error, exc_info=False):
        """Log all mistakes in a list, one line for each. exc_info (bool): with a traceback."""
        *others, last = profiles.mistakes(error)
        for mistake in others:
            self._log.error('%s', one_line(mistake))
        self._log.error('%s', one_line(last), exc_info=exc_info)

    def _wrong_settings(self, offered):
        """Generate the mistakes in the settings that profiles override."""
        right = set()
        for where, name, is_by_user in profiles.settings_of(offered):
            if (name, is_by_user) in right:  # most choices override the same settings
                continue
            try:
                self._overrides.check(where, name, is_by_user)
            except ValueError as e:
                yield str(e)
            else:
                right.add((name, is_by_user))

    def warn_of(self, override):
        """Warn if an `Override` of a start is not of a setting: each time if the name is misspelt, otherwise once."""
        self._check_name(override.where, override.setting, self._log.warning)

    def _check_name(self, where, name, log_misspelt):
        is_misspelt, warning = self._overrides.doubt(where, name) or (False, None)
        if is_misspelt:
            log_misspelt('%s', one_line(warning))
        elif warning:
            self.warn_once(warning)

    def warn_once(self, warning):
        """Log a warning about the configuration, unless it was logged before."""
        if warning not in self._logged and len(self._logged) < MOST_WARNINGS:
            self._logged.add(warning)
            self._log.warning('%s', one_line(warning))
