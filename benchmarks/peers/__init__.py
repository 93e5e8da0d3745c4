"""The programs that others would write of the same work, and `fruits featurize` beside them."""
