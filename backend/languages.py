"""Languages, as people and programs write them: tags of BCP 47."""

import re

from django.utils.translation import gettext_lazy as _

from backend.errors import ValidationFailed

# RFC 5646, section 2.1, without the grandfathered tags, which it asks not to use.
LANGUAGE_TAG = re.compile(
    r"""(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})
        (?:-(?P<script>[a-z]{4}))?
        (?:-(?P<region>[a-z]{2}|[0-9]{3}))?
        (?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*
                 (?:-[a-wy-z0-9](?:-[a-z0-9]{2,8})+)*
                 (?:-x(?:-[a-z0-9]{1,8})+)?)""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)


def language_tag(value: str | None, *, path: str = "languageTag") -> str:
    """`value` as a BCP 47 tag in its recommended casing, such as `es-MX` or `zh-Hant-TW`.

    `None` and blanks are an empty text: any language.

    Raises:
        ValidationFailed: it is not a language tag; `path` names the input field.

    Spec: RFC 5646, sections 2.1 and 2.1.1.
    """
    tidy = (value or "").strip()
    if not tidy:
        return ""
    match = LANGUAGE_TAG.fullmatch(tidy) if len(tidy) <= 35 else None
    if match is None:
        raise ValidationFailed(
            _("Write the language as a tag of BCP 47, such as nah, es-MX or zh-Hant-TW."),
            path=(path,),
        )
    parts = [match["language"].lower()]
    if match["script"]:
        parts.append(match["script"].title())
    if match["region"]:
        parts.append(match["region"].upper())
    return "-".join(parts) + match["rest"].lower()
