"""Ends what runs on demand have made, before the stack that would end it is deleted.

A state machine that is deleted runs nothing more, and an execution that is stopped leaves at once:
Step Functions enters no state that catches it. In both cases nobody would end its cluster.
"""
