"""Which units run on a day, what they produce, and what power then costs at every bus: unit commitment and prices."""
