"""Recordings and raw dumps decoded: every signal, finding and alert, in files of arrays, tables, polygraph traces and pictures."""
