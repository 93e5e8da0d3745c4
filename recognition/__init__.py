"""What the features are worth, and the name of the fruit on a photograph."""
