"""Every word that users read: errors, what to do about them, and the progress of a start.

What went wrong is found out elsewhere: nothing of the package is imported here.
"""
