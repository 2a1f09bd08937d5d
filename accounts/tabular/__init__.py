"""Files of rows, as others write them: CSV or XLSX in, a header and numbered rows out.

Nothing is guessed: the encoding is UTF-8, or what a byte order mark or the caller says, and
the delimiter is the one named. What makes a whole file unusable raises UnusableFile; what is
wrong with one row or cell comes out with it, so that all of it can be reported at once.
Rows are numbered as a spreadsheet shows them. No Django here.
"""

from accounts.tabular.csv_files import DELIMITERS, ENCODINGS
from accounts.tabular.shapes import (
    MOST_COLUMNS,
    MOST_ROW_BYTES,
    MOST_ROWS,
    Block,
    Cell,
    Damaged,
    Layout,
    Row,
    Table,
    UnusableFile,
)
from accounts.tabular.tables import read_table

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MOST_COLUMNS",
    "MOST_ROWS",
    "MOST_ROW_BYTES",
    "Block",
    "Cell",
    "Damaged",
    "Layout",
    "Row",
    "Table",
    "UnusableFile",
    "read_table",
]
