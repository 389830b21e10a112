"""The back office: Django's admin, made for those who run a marketplace."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class BackOfficeConfig(AppConfig):
    """Pages and actions that need several domains at once, and operators' second factor."""

    name = "backend.back_office"


class OurAdmin(admin_apps.AdminConfig):
    """Django's admin, with our site in the place of its own."""

    default = False  # of this module's two, which Django asks for
    default_site = "backend.back_office.site.BackOffice"
