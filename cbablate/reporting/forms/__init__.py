"""How a table is spelled: LaTeX, Markdown, CSV."""
