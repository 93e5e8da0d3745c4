"""Looks whether an AWS account can take the project, before anything is made in it.

`asking` asks AWS and gives `facts`; the checks of `account`, `place` and `capacity` are pure, and
make one outcome of each fact.
"""
