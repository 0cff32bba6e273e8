"""Tables by column: CSV and Parquet read by pyarrow, typed, and given out as rows on demand."""
