"""Hand-outs for print: a poster of all machines, a cheat sheet, and a card of what is promised beside what relatives promise."""
