"""Writes the parts of a model card on use: intended use, out-of-scope use, and contact."""


def intended_use(lang: str) -> str:
    """Describe the intended use. lang: spaCy's code of the language."""
    return (
        f"Finds these types in text in `{lang}` of the kind that it was trained on, for people who review the "
        "entities, or for programs that use the confidence of each entity. The table below defines each type and gives "
        "its scores."
    )


def out_of_scope(*, has_not_entities: bool) -> str:
    """List out-of-scope uses. has_not_entities: the guide lists what is not an entity."""
    others = ", and anything that the guide excludes" if has_not_entities else ""
    uses = [
        "Text of another kind or language than the training data, unless it is evaluated there.",
        "Decisions about people that nobody reviews.",
        f"Types that are not in the table{others}.",
    ]
    return "\n".join(f"- {use}" for use in uses)


def contact(author: str, email: str, url: str) -> str:
    """State the contact, or where to set it; each argument may be empty."""
    parts = [author, email and f"<{email}>", url and f"<{url}>"]
    stated = ", ".join(part for part in parts if part)
    return stated or "None stated. It comes from `author`, `email` and `url` of the package's meta."
