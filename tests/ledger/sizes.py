"""How much the random books play.

LEDGER_OPERATIONS=100000   how many operations; `pytest -s` shows the figures of the run
"""

import os

OPERATIONS = int(os.environ.get("LEDGER_OPERATIONS", "300"))
STEPS = 50
EXAMPLES = max(1, OPERATIONS // STEPS)
