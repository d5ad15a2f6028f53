"""The built site and a server for it, shared with the tests of the book."""

from tests.book.conftest import site
from tests.book.test_browser import address

__all__ = ["address", "site"]
