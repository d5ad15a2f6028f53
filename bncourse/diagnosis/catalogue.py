"""Where the book explains each belief."""

BOOK_URL = ""
"""Base address of the published book, ending in a slash; empty where the book is only on paper or on this disk."""


def chapter_link(page: str) -> str:
    """Say where to read on: an address, or the chapter's name and file.

    Parameters
    ----------
    page : str
        The page inside the book, without an ending, such as "gradients/vanishing_term".

    Examples
    --------
    >>> chapter_link("gradients/vanishing_term")
    'chapter "The vanishing term" (book/gradients/vanishing_term)'
    """
    if BOOK_URL:
        return f"{BOOK_URL}{page}.html"
    title = page.rsplit("/", 1)[-1].replace("_", " ")
    return f'chapter "The {title}" (book/{page})'
