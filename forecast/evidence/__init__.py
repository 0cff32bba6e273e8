"""The evidence tables: read, checked, turned into arrays; and the desk that edits them."""
