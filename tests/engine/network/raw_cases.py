"""A small PSS/E case written by hand in three revisions, and its linear flows from its own facts."""

import numpy as np

# Bus 1 swing, bus 2 machine, 3 and 4 loads, 5 isolated; 4 is at 115 kV behind two transformers; 6 at 13.8 kV
# hangs on a three-winding transformer with buses 2 and 4.
_HEAD = "0, 100.0, {version}, 0, 1, 60.0 / PSS(R)E-{version}.0  written by hand\nHand case\nsix buses\n"
_WIDE = """GENERAL, THRSHZ=0.0001, PQBRAK=0.7
NEWTON, ITMXN=20, TOLN=0.1
RATING, 1, "RATE1 ", "normal / summer                 "
0 / END OF SYSTEM-WIDE DATA, BEGIN BUS DATA
"""
_BUSES = """@! I,'NAME', BASKV, IDE
1,'NORTH       ', 230.0, 3, 1, 1, 1, 1.02, 0.0, 1.1, 0.9, 1.1, 0.9
2,'O/LD, MILL  ', 230.0, 2, 1, 2, 1, 1.01, -1.5
3 'SOUTH' 230.0 1 2 2 / blanks part these
4,'TOWN        ', 115.0, 1, 2, 2
5,'RUIN        ', 115.0, 4
6,'DOCK        ', 13.8, 1, 2, 2
0 / END OF BUS DATA, BEGIN LOAD DATA
"""
_LOADS = {
    33: """3,'1 ',1,2,2, 100.0, 20.0, 10.0, 0, 5.0, 0, 1, 1, 0
3,'2 ',0,2,2, 999.0, 20.0
4,'1 ',1,2,2, 60.0, 5.0
6,'1 ',1,2,2, 12.0, 5.0
""",
    34: """3,'1 ',1,2,2, 110.0, 20.0, 10.0, 0, 5.0, 0, 1, 1, 0, 10.0, 0.0, 1
3,'2 ',0,2,2, 999.0, 20.0
4,'1 ',1,2,2, 60.0, 5.0, 0, 0, 0, 0, 1, 1, 0, 33.0, 0.0, 0
6,'1 ',1,2,2, 12.0, 5.0
""",
}
_SHUNTS = """0 / END OF LOAD DATA, BEGIN FIXED SHUNT DATA
3,'1 ',1, 2.0, 30.0
4,'1 ',0, 7.0, 30.0
0 / END OF FIXED SHUNT DATA, BEGIN GENERATOR DATA
"""
_UNITS = {
    33: """1,'1 ', 50.0, 5.0, 90.0, -90.0, 1.02, 0, 200.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1, 100.0, 250.0, 10.0, 1, 1.0
2,'A ', 80.0, 5.0, 90.0, -90.0, 1.01, 0, 200.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1, 100.0, 120.0, 20.0, 1, 1.0
2,'B ', 70.0, 5.0, 90.0, -90.0, 1.01, 0, 200.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0, 100.0, 120.0, 20.0, 1, 1.0
""",
    35: """1,'1 ', 50.0, 5.0, 90.0, -90.0, 1.02, 0, 0, 200.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1, 100.0, 250.0, 10.0, 0, 1, 1.0
2,'A ', 80.0, 5.0, 90.0, -90.0, 1.01, 0, 0, 200.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1, 100.0, 120.0, 20.0, 0, 1, 1.0
2,'B ', 70.0, 5.0, 90.0, -90.0, 1.01, 0, 0, 200.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0, 100.0, 120.0, 20.0, 0, 1, 1.0
""",
}
_LINES = {
    33: """1, 2,'1 ', 0.01, 0.10, 0.02, 150.0, 160.0, 170.0, 0,0,0,0, 1, 1, 0.0, 1, 1.0
1,-3,'1 ', 0.01, 0.20, 0.02, 80.0, 0.0, 0.0, 0.01,0,0,0, 1, 2, 0.0, 1, 1.0
2, 3,'1 ', 0.01, 0.25, 0.02, 0.0, 0.0, 0.0, 0,0,0,0, 1, 1, 0.0, 1, 1.0
2, 3,'2 ', 0.01, 0.25, 0.02, 90.0, 0.0, 0.0, 0,0,0,0, 0, 1, 0.0, 1, 1.0
""",
    34: """1, 2,'1 ', 0.01, 0.10, 0.02,'LINE / ONE', 150.0,160.0,170.0,0,0,0,0,0,0,0,0,0, 0,0,0,0, 1, 1, 0.0, 1, 1.0
1,-3,'1 ', 0.01, 0.20, 0.02,'', 80.0,0,0,44,0,0,0,0,0,0,0,0, 0.01,0,0,0, 1, 2, 0.0, 1, 1.0
2, 3,'1 ', 0.01, 0.25, 0.02,'', 0,0,0,0,0,0,0,0,0,0,0,0, 0,0,0,0, 1, 1, 0.0, 1, 1.0
2, 3,'2 ', 0.01, 0.25, 0.02,'', 90.0,0,0,0,0,0,0,0,0,0,0,0, 0,0,0,0, 0, 1, 0.0, 1, 1.0
""",
}
_SWITCH = """0 / END OF BRANCH DATA, BEGIN SYSTEM SWITCHING DEVICE DATA
4, 5,'*1', 0.0001, 99.0,0,0,0,0,0,0,0,0,0,0,0, 0, 1, 1, 2,'BREAKER'
0 / END OF SYSTEM SWITCHING DEVICE DATA, BEGIN TRANSFORMER DATA
"""
_TWO = {
    33: """3, 4, 0,'1 ', 1, 2, 1, 0.001, -0.01, 2,'T34         ', 1, 1, 1.0
0.005, 0.12, 150.0
1.03, 0.0, 10.0, 120.0, 130.0, 140.0, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
0.98, 0.0
""",
    34: """3, 4, 0,'1 ', 1, 2, 1, 0.001, -0.01, 2,'T34         ', 1, 1, 1.0
0.005, 0.12, 150.0
1.03, 0.0, 10.0, 120.0,130.0,140.0,0,0,0,0,0,0,0,0,0, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
0.98, 0.0
""",
}
_THREE = {
    33: """2, 4, 6,'1 ', 1, 1, 1, 0.0, 0.0, 2,'T246        ', 1, 1, 1.0
0.0, 0.10, 100.0, 0.0, 0.14, 100.0, 0.0, 0.20, 100.0, 1.0, -3.0
1.05, 0.0, 0.0, 200.0, 0, 0, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
1.0, 0.0, 0.0, 150.0, 0, 0, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
1.0, 0.0, -30.0, 50.0, 0, 0, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
""",
    34: """2, 4, 6,'1 ', 1, 1, 1, 0.0, 0.0, 2,'T246        ', 1, 1, 1.0
0.0, 0.10, 100.0, 0.0, 0.14, 100.0, 0.0, 0.20, 100.0, 1.0, -3.0
1.05, 0.0, 0.0, 200.0,0,0,0,0,0,0,0,0,0,0,0, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
1.0, 0.0, 0.0, 150.0,0,0,0,0,0,0,0,0,0,0,0, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
1.0, 0.0, -30.0, 50.0,0,0,0,0,0,0,0,0,0,0,0, 0, 0, 1.1, 0.9, 1.1, 0.9, 33, 0, 0.0, 0.0, 0.0
""",
}
_REST = """0 / END OF TRANSFORMER DATA, BEGIN AREA DATA
1, 1, 0.0, 10.0,'EAST        '
2, 3, 0.0, 10.0,'WEST        '
0 / END OF AREA DATA, BEGIN TWO-TERMINAL DC DATA
'LINK 1      ', 1, 8.0, 20.0, 100.0, 0.0, 0.0, 0.0, 'I', 0.0, 20, 1.0
1, 1, 25.0, 15.0, 0.0, 0.0, 230.0, 1.0, 1.0, 1.1, 0.9, 0.00625, 0, 0, 0,'1', 0.0
4, 1, 25.0, 15.0, 0.0, 0.0, 115.0, 1.0, 1.0, 1.1, 0.9, 0.00625, 0, 0, 0,'1', 0.0
0 / END OF TWO-TERMINAL DC DATA, BEGIN VSC DC LINE DATA
'V1', 1, 0.5, 1, 1.0
3, 1, 1, 100.0, 1.0
2, 2, 1, -6.0, 1.0
0 / END OF VSC DC LINE DATA, BEGIN IMPEDANCE CORRECTION DATA
0 / END OF IMPEDANCE CORRECTION DATA, BEGIN MULTI-TERMINAL DC DATA
0 / END OF MULTI-TERMINAL DC DATA, BEGIN MULTI-SECTION LINE DATA
0 / END OF MULTI-SECTION LINE DATA, BEGIN ZONE DATA
1,'COAST       '
2,'PLAIN       '
0 / END OF ZONE DATA, BEGIN INTER-AREA TRANSFER DATA
0 / END OF INTER-AREA TRANSFER DATA, BEGIN OWNER DATA
1,'OWNER       '
0 / END OF OWNER DATA, BEGIN FACTS DEVICE DATA
'STATCOM', 4, 0, 1, 0.0, 0.0, 1.0, 50.0
0 / END OF FACTS DEVICE DATA, BEGIN SWITCHED SHUNT DATA
3, 1, 0, 1, 1.05, 0.95, 0, 100.0,'', 30.0, 1, 30.0
0 / END OF SWITCHED SHUNT DATA, BEGIN GNE DATA
0 / END OF GNE DATA, BEGIN INDUCTION MACHINE DATA
"""
_PLACES = """0 / END OF INDUCTION MACHINE DATA, BEGIN SUBSTATION DATA
1,'NORTH', 35.5, -101.25, 0.1
@! BEGIN SUBSTATION NODE DATA
1,'N1', 1, 1, 1.02, 0.0
0 / END OF SUBSTATION NODE DATA, BEGIN SUBSTATION SWITCHING DEVICE DATA
0 / END OF SUBSTATION SWITCHING DEVICE DATA, BEGIN SUBSTATION EQUIPMENT TERMINAL DATA
0 / END OF SUBSTATION EQUIPMENT TERMINAL DATA
2,'MILL', 35.75, -101.0, 0.1
1,'N1', 2, 1, 1.02, 0.0
2,'N2', 3, 1, 1.02, 0.0
0 / END OF SUBSTATION NODE DATA, BEGIN SUBSTATION SWITCHING DEVICE DATA
1, 2,'1','sw', 1, 1, 1, 0.0001
0 / END OF SUBSTATION SWITCHING DEVICE DATA, BEGIN SUBSTATION EQUIPMENT TERMINAL DATA
2, 1, 'B', 3
0 / END OF SUBSTATION EQUIPMENT TERMINAL DATA
0 / END OF SUBSTATION DATA
"""


def raw_case(version: int) -> str:
    """The case in a revision of the format."""
    later = 33 if version == 33 else 34
    units = _UNITS[35 if version == 35 else 33]
    three = _THREE[later]
    if version == 35:  # NODE stands after CONT
        three = three.replace(", 0, 0, 1.1, 0.9, 1.1", ", 0, 0, 0, 1.1, 0.9, 1.1")
    parts = [
        _HEAD.format(version=version), "" if version == 33 else _WIDE, _BUSES, _LOADS[later], _SHUNTS, units,
        "0 / END OF GENERATOR DATA, BEGIN BRANCH DATA\n", _LINES[later],
        "0 / END OF BRANCH DATA, BEGIN TRANSFORMER DATA\n" if version == 33 else _SWITCH, _TWO[later], three, _REST,
        "0 / END OF INDUCTION MACHINE DATA\n" if version == 33 else _PLACES, "Q\nwhat follows Q is not read\n",
    ]  # fmt: skip
    return "".join(parts)


def hand_flows() -> dict[tuple[str, str], float]:
    """The flows of the case in MW from (from, to), by angles over ideal ratios, written down apart from any reader."""
    # (from, to, reactance between the ideal ratios in pu of 100 MVA, ratio at from, ratio at to, shift in degrees)
    legs = np.linalg.solve([[1, 1, 0], [0, 1, 1], [1, 0, 1]], [0.10, 0.14, 0.20])  # pairs 12, 23, 31
    branches = [
        ("1", "2", 0.10, 1.0, 1.0, 0.0),
        ("1", "3", 0.20, 1.0, 1.0, 0.0),
        ("2", "3", 0.25, 1.0, 1.0, 0.0),
        ("3", "4", 0.12 * 100 / 150, 1.03, 0.98, 10.0),
        ("2", "star", legs[0], 1.05, 1.0, 0.0),
        ("4", "star", legs[1], 1.0, 1.0, 0.0),
        ("6", "star", legs[2], 1.0, 1.0, -30.0),
    ]
    loss = 8.0 * 0.2**2  # 20 MW at 100 kV are 0.2 kA
    given = {"1": 50.0 - 1.0 - 20.0, "2": 80.0 - 6.0, "3": -(100 + 10 + 5) - 2.0 - 0.1 + 6.0, "6": -12.0,
             "4": -60.0 + 20.0 - loss, "star": 0.0}  # fmt: skip
    buses = ["1", "2", "3", "4", "6", "star"]
    at = {bus: row for row, bus in enumerate(buses)}
    laplacian, push = np.zeros((6, 6)), np.array([given[bus] for bus in buses]) / 100
    for a, b, x, ta, tb, shift in branches:
        y, own = 1 / (x * ta * tb), np.zeros(6)
        own[at[a]], own[at[b]] = 1, -1
        laplacian += y * np.outer(own, own)
        push += y * np.radians(shift) * own
    angle = np.zeros(6)
    angle[1:] = np.linalg.solve(laplacian[1:, 1:], push[1:])
    return {
        (a, b): 100 / (x * ta * tb) * (angle[at[a]] - angle[at[b]] - np.radians(shift))
        for a, b, x, ta, tb, shift in branches
    }
