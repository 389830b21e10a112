"""The back office: Django's admin, made for those who run a marketplace."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class BackOfficeConfig(AppConfig):
    """Pages and actions that need several domains at once, and operators' second factor."""

    name = "backend.back_office"
    verbose_name = _("Operators")

    def ready(self) -> None:
        from backend.accounts.personal import register
        from backend.back_office.personal_data import OperatorData

        register(OperatorData())


class OurAdmin(admin_apps.AdminConfig):
    """Django's admin, with our site in the place of its own."""

    default = False  # of this module's two, which Django asks for
    default_site = "backend.back_office.site.BackOffice"
