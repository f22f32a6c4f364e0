"""Damaged and hostile files for everything that reads files. `scripts/fuzz` runs it.

`mutation` changes inputs at random, `seeds` has the inputs it begins with, `targets` what reads them and the rules,
`worker` runs one target in a process of its own, and `campaign` watches it from outside.
"""
