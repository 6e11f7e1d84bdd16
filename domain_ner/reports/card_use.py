"""What a model card says of its use: what it is for, what it is not for, and who answers for it."""


def intended_use(lang: str) -> str:
    """What the pipeline is for. lang: spaCy's code of its language."""
    return (
        f"To find these types in text in `{lang}` of the kind that it was trained on, for people who look at what it "
        "finds, or for programs that act on the confidence of each entity. The table below says what each type is and "
        "how well it is found."
    )


def out_of_scope(*, has_not_entities: bool) -> str:
    """What it is not for, as a list. has_not_entities: the guide says what is no entity."""
    others = " and what the guide says is no entity" if has_not_entities else ""
    told = [
        "Text of another kind or language than that of the training data, as long as nobody has measured it there.",
        "Decisions about people that nobody reviews.",
        f"Types that are not in the table{others}.",
    ]
    return "\n".join(f"- {one}" for one in told)


def contact(author: str, email: str, url: str) -> str:
    """Who answers for it, or where that is to be set; each may be empty."""
    found = [author, email and f"<{email}>", url and f"<{url}>"]
    told = ", ".join(one for one in found if one)
    return told or "None stated. It comes from `author`, `email` and `url` of the package's meta."
