from django.apps import AppConfig


class HeartbeatConfig(AppConfig):
    name = "backend.heartbeat"
