"""Networks: tables, checks, readers and writers, drawing, shift factors."""
