"""Pages as a browser gets them: one shell, a style sheet, and ES modules that need no build."""
