"""How much the random books play.

LEDGER_OPERATIONS=100000   how many operations; `pytest -s` shows the figures of the run
"""

import os

OPERATIONS = int(os.environ.get("LEDGER_OPERATIONS", "300"))
STEPS = 50
# Hypothesis ends some histories early: they have 46 steps on average.
EXAMPLES = OPERATIONS // 45 + 1
