"""Tasks, one file each: where the data come from, how they are split and what the wearable does with the answer."""
