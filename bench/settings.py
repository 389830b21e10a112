"""The product's settings as production has them, for processes that talk to a sandbox.

The environment says DEBUG, because only then may wallets live on plain http. But DEBUG also keeps
every query in memory and looks for static files on every request: nobody's production does.
"""

from backend.settings import *  # noqa: F403

DEBUG = False
GRAPHIQL = False
WHITENOISE_USE_FINDERS = False
ROOT_URLCONF = "bench.urls"
# A console is where mails go when the environment says DEBUG, and nowhere that production has them.
EMAIL_URL = ""
SENDS_MAIL = False
OPERATORS_NEED_SECOND_FACTOR = True
# A sandbox on this machine is plain http and its secrets are everybody's; pages need no wallet.
SILENCED_SYSTEM_CHECKS = ["faena.E001", "faena.E002", "faena.E003", "faena.E005", "faena.E006"]
