"""What `cbablate init` writes: a study and a sweep about a script, read without running it."""
