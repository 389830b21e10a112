"""What each process holds after everything before this, against what it held when it was ready."""

from bench.results import Row
from bench.world import World


def measure(world: World) -> list[Row]:
    """Proportional set sizes: pages shared between processes count in parts."""
    return [
        Row(
            name=f"memory of {name} / just started",
            unit="MiB",
            ours=mib,
            baseline=world.memory_at_start[name],
        )
        for name, mib in world.memory_mib().items()
    ]
