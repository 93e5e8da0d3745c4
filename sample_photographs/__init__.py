"""Drawn photographs of fruit: for a first run, and to calibrate seeded weights on.

Outside spark_assets, which is shipped to the cluster as a whole: a change of a drawing changes
nothing that the steps there are made of.
"""
