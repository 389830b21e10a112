"""A password hasher that says how often it worked."""

from collections.abc import Callable

from django.contrib.auth.hashers import Argon2PasswordHasher


class CountingHasher(Argon2PasswordHasher):
    """Argon2 at its cheapest, with a count of hashes computed."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
    worked = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).worked += 1
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        type(self).worked += 1
        return super().verify(password, encoded)


class InterruptedHasher(CountingHasher):
    """One that lets something else happen once it has judged a password."""

    meanwhile: list[Callable[[], object]] = []

    def verify(self, password: str, encoded: str) -> bool:
        is_right = super().verify(password, encoded)
        while self.meanwhile:
            self.meanwhile.pop()()
        return is_right
