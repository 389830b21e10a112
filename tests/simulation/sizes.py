"""How much the simulations play.

SIMULATION_CASES=4000   how many cells of the crash matrix (`all`: every one)
SIMULATION_SEEDS=2000   how many random histories
SIMULATION_SEED=7       which sample and which histories; printed in the header of the run
SIMULATION_CASE=…       play one cell again, as printed by a failure
SIMULATION_HISTORY=…    play one random history again
"""

import os

SEED = int(os.environ.get("SIMULATION_SEED", "20260601"))
CASES = os.environ.get("SIMULATION_CASES", "200")
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "40"))
CASE = os.environ.get("SIMULATION_CASE")
HISTORY = os.environ.get("SIMULATION_HISTORY")
