"""A command line in a string -> its words, as go-shellwords splits them (no expansion)."""

from __future__ import annotations

from orchestra.config.problems import Fault


def split_words(line: str) -> list[str]:
    """The words of *line*: quotes group, a backslash takes the next character as it is.

    Raises Fault for an unfinished quote or a trailing backslash.
    """
    words: list[str] = []
    current: list[str] = []
    begun = False
    quote = ""
    escaped = False
    for char in line:
        if escaped:
            current.append(char)
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = begun = True
        elif quote:
            if char == quote:
                quote = ""
            else:
                current.append(char)
        elif char in "'\"":
            quote = char
            begun = True
        elif char in " \t\r\n":
            if begun:
                words.append("".join(current))
            current, begun = [], False
        else:
            current.append(char)
            begun = True
    if quote or escaped:
        missing = f"a closing {quote}" if quote else "what the last backslash escapes"
        raise Fault(
            f"the command lacks {missing}", "close the quote, or write the command as a list"
        )
    if begun:
        words.append("".join(current))
    return words
