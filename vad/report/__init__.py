"""Reports for people: recordings, evaluations, corpora and networks as HTML pages of one file, recordings as pictures.

    samples ─► excerpt: peaks, log-mel, compressed audio ─┬─► detection, evaluation   HTML
                                                          └─► plot                    PNG, SVG, PDF

Python packs the data of a page into one JSON document, and the scripts in `templates` draw it. Python writes no HTML
but the title, so text is escaped in one place: `vad.report.page`.
"""
