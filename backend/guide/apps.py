from django.apps import AppConfig


class GuideConfig(AppConfig):
    name = "backend.guide"
