"""The chips a wearable may have, as the agent works them: one file or folder and one row of `table` each."""
