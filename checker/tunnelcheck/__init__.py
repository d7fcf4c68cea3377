"""The checker: explores the closed world of the tables, decides its properties, and shows the shortest harm."""
