"""`python -m tools.fuzz`: what schemathesis makes up, sent to the real server for minutes.

Nothing that a client sends may end in an error of the server. schemathesis writes documents from
the schema itself; ids that earlier answers gave are put into them, and people of every role ask.
"""
