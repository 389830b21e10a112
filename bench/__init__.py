"""Benchmarks: what Faena costs, as ratios against a bare client measured in the same run."""
