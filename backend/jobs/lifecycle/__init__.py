"""What can happen to a job and its parts, and who may do it: tables, nothing else.

One file a thing: `job`, `application`, `submission`, `dispute`. Each has

- MOVES, the moves of its status; TRANSITIONS is the same by status, for the one door (`move_to`);
- RULES, which say for every action who may do it, in which statuses, and what else stands in
  its way;
- a Facts class: what the rules look at.

The guards of the services, the `allowedActions` that clients show as buttons, the refusals and
the diagrams of docs/jobs.md all read these tables. So a client that offers only allowed actions
is never refused for the status.
"""
