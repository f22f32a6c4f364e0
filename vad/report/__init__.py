"""What a person looks at: recordings and evaluations as stand-alone pages, and recordings as pictures.

    samples ─► Excerpt: peaks, log-mel, compressed audio ─┬─► detection_page, evaluation_page   HTML, all in one file
               small, whatever the length                 └─► plot                              PNG, SVG, PDF

A page is `templates/page.html` with its style, its scripts and one JSON document; the scripts draw. Python writes no
HTML but the title, so that there is one place where text is escaped: `vad.report.page`.
"""
