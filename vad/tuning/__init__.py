"""From labelled recordings and a goal to the operating point that serves it best, and what it is worth on others.

recordings ─► model, once ─► Listened ─► grid: each operating point's errors ─► search: the best for a Goal, held out
"""
