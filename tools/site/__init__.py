"""The documentation as a site: docs/ by MkDocs, with a reference that is made from the code."""
