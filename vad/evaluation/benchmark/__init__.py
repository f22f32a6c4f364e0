"""Our models beside their peers: one set of recordings, one grid of 10 ms, one run.

clips ─► conditions ─► systems ─► scores ─► figures, with intervals ─► Markdown, JSON, a picture
"""
