"""Every word that users read: errors and what they can do about them, and the progress of a start.

What went wrong is known elsewhere: nothing of the package is imported here.
"""
