"""What a hub keeps: tables, how they came about, and the database that holds them."""
