"""Webhooks: events that leave us signed, and hints that come in and are never believed.

names and audience say who hears what, relay puts it down, claims and sending bring it, inbox
takes what others send.
"""
