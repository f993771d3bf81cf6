"""From a network to what computes it: a graph of shared nodes, its derivatives, generated source, and a table that any process can walk."""

__all__: list[str] = []
