"""What can be said on a command line: `make`, and the commands of manage.py with their help."""

import re
from argparse import HelpFormatter
from functools import partial

from django.core.management import get_commands, load_command_class

TARGET = re.compile(r"^([\w-]+):.*## (.+)$", re.MULTILINE)
WIDTH = 90


def page(makefile: str) -> str:
    """The page: Faena's own commands; those of Django and of libraries have their own pages."""
    lines = ["# Commands", "", "## make", "", "| target | what it does |", "|---|---|"]
    lines += [f"| `make {name}` | {_cell(says)} |" for name, says in TARGET.findall(makefile)]
    lines += ["", "## manage.py", "", "`python manage.py <command>`, with the settings of the"]
    lines += ["environment. Django's own commands are there too.", ""]
    for name, application in sorted(get_commands().items()):
        if str(application).startswith("backend."):
            lines += [f"### {name}", "", "```text", help_of(name), "```", ""]
    return "\n".join(lines)


def help_of(name: str) -> str:
    """What `manage.py <name> --help` says of the command itself, without what all commands take."""
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name, formatter_class=partial(_Formatter))
    own = [group for group in parser._action_groups if group._group_actions]
    common = {"--version", "--verbosity", "--settings", "--pythonpath", "--traceback"}
    common |= {"--no-color", "--force-color", "--skip-checks", "--help"}
    for group in own:
        group._group_actions = [
            action for action in group._group_actions if not common & set(action.option_strings)
        ]
    parser._actions = [each for each in parser._actions if not common & set(each.option_strings)]
    return parser.format_help().strip()


class _Formatter(HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=WIDTH)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
