"""What the siting study prints (arXiv 2605.14714), as facts beside which the report puts ours."""

# Medians [distance between the quartiles] over the sites that its market served: by nameplate, window and metric,
# under firm, pause and shift. Tables 1 and 2.
MARKET = {
    (1000.0, "all", "mean_lmp"): ("24.29 [0.05]", "24.30 [0.04]", "24.31 [0.08]"),
    (1000.0, "all", "p95_p5"): ("2.14 [0.16]", "2.14 [0.19]", "2.19 [0.18]"),
    (1000.0, "all", "std"): ("2.10 [0.05]", "2.10 [0.06]", "2.11 [0.07]"),
    (1000.0, "all", "binding_hours"): ("112 [4]", "113 [5]", "113 [5]"),
    (1000.0, "all", "rent"): ("0.59 [0.03]", "0.59 [0.04]", "0.61 [0.05]"),
    (1000.0, "on_peak", "mean_lmp"): ("25.96 [0.11]", "25.97 [0.10]", "25.85 [0.13]"),
    (1000.0, "on_peak", "p95_p5"): ("2.95 [0.29]", "2.94 [0.35]", "2.90 [0.63]"),
    (1000.0, "on_peak", "std"): ("2.13 [0.09]", "2.09 [0.08]", "2.10 [0.07]"),
    (1000.0, "on_peak", "binding_hours"): ("16 [1]", "17 [1]", "16 [1]"),
    (1000.0, "on_peak", "rent"): ("0.15 [0.01]", "0.15 [0.01]", "0.15 [0.02]"),
    (1000.0, "off_peak", "mean_lmp"): ("23.96 [0.04]", "23.97 [0.03]", "23.99 [0.07]"),
    (1000.0, "off_peak", "p95_p5"): ("2.01 [0.17]", "2.01 [0.20]", "2.08 [0.23]"),
    (1000.0, "off_peak", "std"): ("2.10 [0.06]", "2.10 [0.06]", "2.11 [0.07]"),
    (1000.0, "off_peak", "binding_hours"): ("96 [3]", "96 [5]", "97 [5]"),
    (1000.0, "off_peak", "rent"): ("0.45 [0.02]", "0.45 [0.03]", "0.46 [0.05]"),
    (2000.0, "all", "mean_lmp"): ("24.32 [0.05]", "24.32 [0.08]", "24.32 [0.08]"),
    (2000.0, "all", "p95_p5"): ("2.22 [0.37]", "2.25 [0.34]", "2.22 [0.53]"),
    (2000.0, "all", "std"): ("2.12 [0.13]", "2.11 [0.11]", "2.11 [0.15]"),
    (2000.0, "all", "binding_hours"): ("113 [9]", "115 [12]", "115 [13]"),
    (2000.0, "all", "rent"): ("0.62 [0.07]", "0.62 [0.13]", "0.63 [0.17]"),
    (2000.0, "on_peak", "mean_lmp"): ("25.96 [0.18]", "25.92 [0.12]", "25.88 [0.19]"),
    (2000.0, "on_peak", "p95_p5"): ("2.94 [0.35]", "2.92 [0.55]", "2.84 [0.52]"),
    (2000.0, "on_peak", "std"): ("2.08 [0.13]", "2.07 [0.10]", "2.06 [0.12]"),
    (2000.0, "on_peak", "binding_hours"): ("16 [2]", "16 [2]", "16 [2]"),
    (2000.0, "on_peak", "rent"): ("0.15 [0.01]", "0.15 [0.01]", "0.14 [0.02]"),
    (2000.0, "off_peak", "mean_lmp"): ("23.98 [0.08]", "24.00 [0.06]", "24.01 [0.07]"),
    (2000.0, "off_peak", "p95_p5"): ("2.09 [0.46]", "2.13 [0.53]", "2.12 [0.67]"),
    (2000.0, "off_peak", "std"): ("2.11 [0.14]", "2.13 [0.11]", "2.12 [0.12]"),
    (2000.0, "off_peak", "binding_hours"): ("97 [7]", "99 [10]", "99 [11]"),
    (2000.0, "off_peak", "rent"): ("0.47 [0.07]", "0.48 [0.11]", "0.48 [0.15]"),
}
COUNTS = {
    ("firm", 1000.0): "192 or 193 (from +9 % to 210)",
    ("pause", 1000.0): "about 225 (+17 %)",
    ("shift", 1000.0): "210 (+9 %)",
    ("firm", 2000.0): "not given",
    ("pause", 2000.0): "+19 %",
    ("shift", 2000.0): "+21 %",
}
DEPTHS = "The study's table 4 (shift, four depths that are lost but for 0.20 in its second column): 188, 210, 239, 253."
OVERLAPS = "11, 6 and 8 at 1 GW (counted from its table 3), 10, 12 and 7 at 2 GW"
# Table 3: the first twenty at 1 GW under each envelope, and of the lowest mean price, as rows of the bus table from 1.
# The zones that it gives for the last of them are those of these rows.
# fmt: off
FIRST_20 = {
    "firm": (
        320, 357, 188, 103, 1481, 1831, 1690, 1999, 1837, 1126,
        1809, 1613, 1592, 1660, 1973, 1343, 1089, 1491, 1713, 1775,
    ),
    "pause": (
        357, 320, 188, 103, 302, 1713, 1815, 1464, 1481, 1113,
        1775, 1579, 1467, 1837, 1999, 1152, 1660, 1672, 1613, 1539,
    ),
    "shift": (
        637, 1672, 320, 1539, 1750, 1456, 1579, 1446, 1163, 1713,
        1686, 1690, 1238, 1720, 1729, 357, 1491, 188, 1448, 1464,
    ),
    "lowest price": (
        89, 140, 152, 153, 55, 101, 3, 22, 23, 182,
        170, 28, 545, 546, 547, 126, 499, 139, 157, 500,
    ),
}
# fmt: on
LOST = (
    "- The hour: the study screens the 16th hour of a peak day and does not say which; here day 224 of 2020.",
    "- The wind and solar series of the study are not published: here the seeded synthetic weather, seed 0.",
    "- The days of its market: 112 binding hours over all and 16 on the peak say seven days; which, is not said.",
    "- The depths of its table 4 are lost but for 0.20.",
    "- Its solver stops at a gap of 1 %: differences of 0.02 to 0.10 $/MWh between sites are below that.",
)
