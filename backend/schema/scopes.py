"""What an API key must have for each mutation. Those that are not here are for people only.

cancelJob and completeJob need MONEY as well while money stands behind the job: it goes back with
them. Queries and subscriptions need READ, and so does what a mutation's answer is asked for beyond
what has become of the input. A key cannot touch what keeps an account safe: its sessions, profile,
wallets and keys, and an approval that came back to another browser.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from graphql import (
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLResolveInfo,
    InlineFragmentNode,
    get_named_type,
)

from backend.accounts.models import Scope

_JOBS = """
createJob updateJob publishJob duplicateJob closeRecruiting reopenRecruiting extendJob cancelJob
completeJob applyToJob withdrawApplication decideApplications saveSubmission submitWork
acknowledgeDecision openDispute respondToDispute escalateDispute withdrawDispute
requestUpload resumeUpload completeUpload
"""
_MONEY = """
fundJob preFundJob cancelFunding refundFunding renewGrant retryPayment reviewSubmission
resolveDispute
"""

SCOPES: Mapping[str, Scope] = MappingProxyType(
    {
        **dict.fromkeys(_JOBS.split(), Scope.JOBS),
        **dict.fromkeys(_MONEY.split(), Scope.MONEY),
    }
)


def leads_on(info: "GraphQLResolveInfo[Any]") -> bool:
    """Whether a mutation's answer is asked for more than the objects that its payload names.

    Those, and parts of them, say what has become of the input. An object that one of them leads
    to, as a job leads to its owner, is read.
    """
    payload: Any = get_named_type(info.return_type)
    waiting = [(node.selection_set, payload, False) for node in info.field_nodes]
    while waiting:
        chosen, parent, inside = waiting.pop()
        for each in chosen.selections if chosen else ():
            selection: Any = each
            if isinstance(each, FragmentSpreadNode):
                selection = info.fragments[each.name.value]
            if isinstance(selection, FragmentDefinitionNode | InlineFragmentNode):
                condition = selection.type_condition
                found = info.schema.get_type(condition.name.value) if condition else parent
                waiting.append((selection.selection_set, found, inside))
            elif selection.selection_set is not None:
                found = get_named_type(parent.fields[selection.name.value].type)
                if inside and _is_object(found):
                    return True
                waiting.append((selection.selection_set, found, inside or _is_object(found)))
    return False


def _is_object(found: Any) -> bool:
    """Whether what has this type has an id of its own."""
    names = {each.name for each in found.interfaces} | {found.name}
    return "Node" in names
