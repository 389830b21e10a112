"""What an operator sees of a running process: its log lines, its numbers, its traces.

Below everything else, so that everything may use it; what it knows of payments and people is the
names of their ids. State is not counted here: backend/monitoring reads it from the database.
"""
