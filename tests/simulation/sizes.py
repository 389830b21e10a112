"""How much the simulations play.

SIMULATION_CASES=4000   how many cells of the crash matrix (`all`: every one)
SIMULATION_SEEDS=2000   how many random histories
SIMULATION_SEED=7       which sample and which histories; printed in the header of the run
MARKET_SEEDS=1000       how many histories of whole jobs
SIMULATION_CASE=…       play one cell again, as printed by a failure
SIMULATION_HISTORY=…    play one random history again
MARKET_HISTORY=…        play one history of a whole job again
"""

import os

SEED = int(os.environ.get("SIMULATION_SEED", "20260601"))
CASES = os.environ.get("SIMULATION_CASES", "200")
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "40"))
MARKET_SEEDS = int(os.environ.get("MARKET_SEEDS", "16"))
CASE = os.environ.get("SIMULATION_CASE")
MARKET_HISTORY = os.environ.get("MARKET_HISTORY")
HISTORY = os.environ.get("SIMULATION_HISTORY")
