"""Text for people: names as they can be printed, numbers with their units."""
