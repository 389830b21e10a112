"""Django's entry for profiles."""

from django.apps import AppConfig


class ProfilesConfig(AppConfig):
    """What people say about themselves. The columns are those of accounts.User."""

    name = "backend.profiles"

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.files.queries import register_visibility
        from backend.profiles.personal_data import ProfileData
        from backend.profiles.queries import is_avatar

        register(ProfileData())
        register_visibility(is_avatar)
