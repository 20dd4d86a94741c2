"""What is published: files of tables, figures, the report; and comparing a paper with them."""
