"""What a network transmits from a dose to a read-out: bits per time between traces, capacity, and which reaction costs them."""

__all__: list[str] = []
