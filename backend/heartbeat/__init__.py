"""Who is at work: what runs for ever writes down that it still does.

Whoever shows the state of an installation reads the row. Losing it loses nothing: the next beat
writes it again.
"""
