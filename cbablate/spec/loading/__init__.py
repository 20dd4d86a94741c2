"""From a tree to a study or a sweep: schema, rules, complaints."""
