"""How the desk's pages and tasks grow with its rows: made-up desks of several sizes in scratch databases, measured."""
