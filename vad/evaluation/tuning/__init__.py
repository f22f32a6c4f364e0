"""From labelled recordings and a goal to the operating point that serves it best, and what it is worth on others.

recordings ─► Detector.process, once ─► search: operating points, each by the segmenter ─► the best for a Goal, held out
"""
