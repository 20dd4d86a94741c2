"""Where trials run: the port, in this process, under Ray."""
