"""Pure: from judged runs to one float per query."""
