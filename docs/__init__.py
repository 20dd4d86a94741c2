"""Pages in Markdown, and `generator`, which makes some of them from the types."""
