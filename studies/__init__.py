"""One-off measurements, each with its month; nothing imports them."""
