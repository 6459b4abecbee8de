"""OpenDSS scripts: the feeder read from one solves as the script itself does in OpenDSS; hostile ones are refused."""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import opendssdirect
import pytest

from engine.distribution import dss_file
from engine.distribution.checks import check
from engine.distribution.dss_file import DssImport, read_dss
from engine.distribution.dss_script import MOST_BYTES, read_script
from engine.distribution.opendss import Dispatch, ac_flow
from engine.errors import FileFormatError

# Written for these tests: what public scripts do, in one small feeder.
MAIN = """
! a comment
Clear
Set DefaultBaseFrequency=60
New object=circuit.Small  // another
~ basekv=115 bus1=Sub pu=1.03 MVAsc3=900 MVAsc1=800
/* a block
new load.none bus1=nowhere
*/
Redirect Codes.dss
New Transformer.Sub Phases=3 Windings=2 XHL=(8 2 /)
~ wdg=1 bus=Sub conn=delta kv=115 kva=5000 %r=.25
~ wdg=2 bus=650 conn=wye kv=4.16 kva=5000 %r=.25
New Transformer.Reg1 phases=1 bank=reg XHL=0.01 kVAs=[1666 1666] Buses=[650.1 R.1] kVs=[2.4 2.4] %LoadLoss=0.001
new regcontrol.Reg1 transformer=Reg1 winding=2 vreg=122 band=2 ptratio=20 ctprim=700 R=3 X=9
New Transformer.Reg2 phases=1 bank=reg XHL=0.01 kVAs=[1666 1666] Buses=[650.2 R.2] kVs=[2.4 2.4] %LoadLoss=0.001
new regcontrol.Reg2 transformer=Reg2 winding=2 vreg=122 band=2 ptratio=20 ctprim=700 R=3 X=9
New Transformer.Reg3 phases=1 bank=reg XHL=0.01 kVAs=[1666 1666] Buses=[650.3 R.3] kVs=[2.4 2.4] %LoadLoss=0.001
new regcontrol.Reg3 transformer=Reg3 winding=2 vreg=122 band=2 ptratio=20 ctprim=700 R=3 X=9
Transformer.Reg1.Taps=[1.0 1.0625]
Transformer.Reg3.Taps=[1.0 1.03125]
New Line.A Bus1=R.1.2.3 Bus2=A.1.2.3 LineCode=own Length=2000 units=ft
New Line.B Phases=2 Bus1=A.3.2 Bus2=B.3.2 LineCode=two Length=0.5 units=kft
New Line.S1 phases=1 bus1=A.1 bus2=C.1 r1=0.2 x1=0.3 c1=10 r0=0.2 x0=0.3 c0=10 length=1
New Line.S3 phases=1 bus1=A.3 bus2=C.3 r1=0.2 x1=0.3 c1=10 r0=0.2 x0=0.3 c0=10 length=1
New Line.Tie Bus1=A Bus2=D switch=y
New Line.Spare Bus1=D Bus2=A linecode=own length=1 units=ft enabled=no
New Transformer.Low phases=3 XHL=2 buses=(D E) conns=(wye wye) kvs=(4.16 .48) kvas=(500 500) %rs=(.55 .55)
New Load.E3 Bus1=E Phases=3 conn=wye model=1 kv=.48 kw=120 kvar=60 daily=default vmaxpu=1.2
New Load.Delta Bus1=A.1.2.3 Phases=3 Conn=Delta Model=2 kV=4.16 kW=300 kvar=90 vmaxpu=1.2
New Load.Pair Bus1=B.2.3 Phases=1 Conn=Delta Model=5 kV=4.16 kW=100 kvar=50 vmaxpu=1.2
New Load.One Bus1=C.1 Phases=1 Conn=Wye Model=5 kV=2.4 kW=80 pf=.9
~ vmaxpu=1.2
New Capacitor.K Bus1=D phases=3 kVAR=200 kV=4.16
New Capacitor.K1 Bus1=C.3 phases=1 kVAR=50 kV=2.4
New Generator.G Bus1=A kv=4.16 kw=60 kvar=0 vmaxpu=1.2
New EnergyMeter.M element=line.A
New Loadshape.Day npts=2 mult=(file=secret.csv)
Set Voltagebases=[115, 4.16, .48]
calcv
Solve
Buscoords Places.csv
"""
CODES = """
New linecode.own nphases=3 units=mi
~ rmatrix = (0.3465 | 0.1560 0.3375 | 0.1580 0.1535 0.3414)
~ xmatrix = (1.0179 | 0.5017 1.0478 | 0.4236 0.3849 1.0348) cmatrix=[15 | -4 14 | -3 -2 13]
New linecode.two nphases=2 rmatrix=[.25 | .04 .26] xmatrix=[.26 | .09 .25] units=kft
"""
FILES = {"Main.DSS": MAIN.encode(), "codes/Codes.dss": CODES.encode(), "Places.csv": b"Bus, X, Y\nA, 1, 2\nB; 3; 4\n"}

WIRES = """
new circuit.wires basekv=4.8 bus1=S pu=1 r1=0 x1=1e-5 r0=0 x0=1e-5
new transformer.ra phases=1 windings=2 buses=(S.1.2 T.1.2) conns=(delta delta) kvs=(4.8 4.8) kvas=(2000 2000) xhl=.001
~ %loadloss=1e-4 taps=(1 1.05)
new regcontrol.ra transformer=ra winding=2 vreg=122 band=2 ptratio=40 ctprim=350 r=1.5 x=3
new transformer.rc phases=1 windings=2 buses=(S.3.2 T.3.2) conns=(delta delta) kvs=(4.8 4.8) kvas=(2000 2000) xhl=.001
~ %loadloss=1e-4 taps=(1 1.02)
new regcontrol.rc like=ra transformer=rc
new line.jumper phases=1 bus1=S.2 bus2=T.2 r1=1e-4 x1=0 r0=1e-4 x0=0 c1=0 c0=0
new line.l bus1=T bus2=U r1=.4 x1=.3 r0=.8 x0=.9 c1=0 c0=0 length=1
new load.ab bus1=U.1.2 phases=1 conn=delta kv=4.8 kw=200 kvar=90 model=1
new load.ca bus1=U.3.1 phases=1 conn=delta kv=4.8 kw=150 kvar=70 model=2
"""


@lru_cache(maxsize=1)
def small() -> DssImport:
    return read_dss(FILES)


def solved(text: str, files: dict[str, str]) -> dict[str, complex]:
    """Solve a script by OpenDSS itself, taps fixed, and return its voltages to earth by node."""
    engine: Any = opendssdirect.NewContext()
    lines: list[str] = []
    for line in text.splitlines():
        if line.lower().startswith("redirect"):
            lines += files[line.split()[1]].splitlines()
        elif not line.lower().startswith(("solve", "buscoords", "new loadshape")):
            lines.append(line)
    for line in lines:
        engine.Text.Command(line)
    engine.Text.Command("set controlmode=off tolerance=1e-9 maxiterations=200")
    engine.Text.Command("solve")
    assert engine.Solution.Converged()
    volts = np.asarray(engine.Circuit.AllBusVolts()).reshape(-1, 2) @ [1, 1j]
    return dict(zip(engine.Circuit.AllNodeNames(), volts.tolist(), strict=True))


def test_a_script_solves_as_it_does_itself() -> None:
    """Voltages of all nodes against the original script in OpenDSS; generators at their full power."""
    feeder = small().feeder
    assert [problem for problem in check(feeder) if problem.severity == "error"] == []
    flow = ac_flow(feeder, Dispatch(generator_kw=np.array([row.p_max_kw for row in feeder.generators])))
    text = MAIN.replace("/* a block\nnew load.none bus1=nowhere\n*/\n", "")
    told = solved(text, {"Codes.dss": CODES})
    compared = 0
    for bus, held in zip(feeder.buses, flow.voltage_pu, strict=True):
        for node, phasor in enumerate(held, 1):
            if f"{bus.name}.{node}" in told:
                volts = told[f"{bus.name}.{node}"]
                # A regulator's impedance is left out, the engine's 0.001 %: some 1e-5.
                assert phasor == pytest.approx(volts / (bus.kv * 1000 / math.sqrt(3)), abs=1e-4), (bus.name, node)
                compared += 1
    assert compared == 22
    assert feeder.wires == "four"
    assert feeder.regulators[0].ratios == pytest.approx((1.0625, 1.0, 1.03125))
    assert feeder.regulators[0].control is not None
    assert feeder.regulators[0].control.level_v == 122.0
    assert [line.phases for line in feeder.lines if line.to_bus == "c"] == ["ac"]
    assert {switch.name for switch in feeder.switches} == {"tie"}
    assert (feeder.bus("a").x, feeder.bus("b").y) == (1.0, 4.0)
    assert sum(load.kw for load in feeder.loads if load.model == "power") == pytest.approx(120.0)


def test_what_is_left_out_is_said() -> None:
    messages = " ".join(note.message for note in small().notes)
    assert "energymeter (1)" in messages
    assert "loadshape (1)" in messages
    assert "daily (1)" in messages
    assert "0 $/MWh" in messages
    assert "4 of 4 lines and switches have no rating" in messages
    assert "loads e3, pair, one (3) have a vminpu or vmaxpu of their own" in messages


def test_what_a_script_says_of_ratings_and_voltages_is_read_or_told() -> None:
    """OpenDSS: a line that says nothing has normamps of 400 A; model 8 is ZIP; vminpu and vmaxpu are 0.95 and 1.05."""
    more = (
        "new line.rated bus1=s bus2=r r1=.1 x1=.1 r0=.1 x0=.1 c1=0 c0=0 normamps=230\n"
        "new line.plain bus1=r bus2=q r1=.1 x1=.1 r0=.1 x0=.1 c1=0 c0=0\n"
        "new load.z bus1=q kv=4.16 kw=30 kvar=10 model=8 zipv=[.2 .3 .5 .2 .3 .5 .7]\n"
        "new load.wide bus1=q kv=4.16 kw=30 kvar=10 vminpu=.8\n"
        "new load.usual bus1=q kv=4.16 kw=30 kvar=10\n"
    )
    found = read_dss({"x.dss": (SOUND + more).encode()})
    assert {row.name: row.rating_a for row in found.feeder.lines}["rated"] == pytest.approx(230.0)
    messages = " ".join(note.message for note in found.notes)
    assert "have no rating" in messages
    assert "ZIP loads z (1)" in messages
    assert "loads wide (1) have a vminpu or vmaxpu" in messages


def test_an_open_delta_of_three_wires() -> None:
    feeder = read_dss({"w.dss": WIRES.encode()}).feeder
    assert feeder.wires == "three"
    assert feeder.regulators[0].regulated == ("ab", "cb")
    assert check(feeder) == []
    told, flow = solved(WIRES, {}), ac_flow(feeder)
    for bus in ("t", "u"):
        for pair, ends in (("ab", "12"), ("bc", "23"), ("ca", "31")):
            volts = (told[f"{bus}.{ends[0]}"] - told[f"{bus}.{ends[1]}"]) / 4800.0
            # Angles are counted from ab, which leads a by 30 degrees.
            turned = volts * np.exp(-1j * np.pi / 6)
            assert flow.phasor(bus, pair) == pytest.approx(turned, abs=1e-4)


SOUND = "new circuit.x basekv=4.16 bus1=s\nnew line.l bus1=s bus2=a r1=1 x1=1\nnew load.q bus1=a kv=4.16 kw=9 kvar=1\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("shell rm -rf x", "'shell' is not let through"),
        ("export voltages /tmp/x.csv", "'export'"),
        ("show voltages", "'show'"),
        ("plot profile", "'plot'"),
        ("save circuit dir=/tmp", "'save'"),
        ("fileedit a.txt", "'fileedit'"),
        ("sol", "'sol'"),
        ("set datapath=/etc", "option 'datapath' is not let through"),
        ("set editor=/bin/sh", "'editor'"),
        ("set mode=daily", "many hours"),
        ("redirect /etc/passwd", "not among the files given"),
        ("compile ../../secret.dss", "not among the files given"),
        ("buscoords /etc/passwd", "not among the files given"),
        ("new load.z bus1=a kw=(file=/etc/passwd)", "signs that no value needs"),
        ("new load.z bus1=a kw=(sngfile = x)", "signs that no value needs"),
        ("new generator.g bus1=a usermodel=evil.so", "'usermodel' of a generator is not let through"),
        ("new generator.g bus1=a usermod=evil.so", "'usermod' of a generator is not let through"),
        ("new pvsystem.p bus1=a", "class 'pvsystem' are not read"),
        ("new load.a/../b bus1=a", "cannot be the name of an element"),
        ("new load.z bus1=a kw=@secret", "signs that no value needs"),
        ("new load.z a 5 10", "'a' is not a property with a value"),
        ('new load.z bus1="a', "has no"),
        ("~ kw=5; shell x", "signs that no value needs"),
        ("~ kw 5", "is not a property"),
        ("kw=5", "'kw' is not a command"),
        ("var @x=5", "'var' is not let through"),
    ],
)
def test_hostile_lines_are_refused(line: str, said: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        read_script({"x.dss": (SOUND + line).encode()})
    assert "x.dss line 4" in str(caught.value)
    assert said in str(caught.value)


def test_every_refused_line_is_told() -> None:
    with pytest.raises(FileFormatError) as caught:
        read_script({"x.dss": (SOUND + "shell a\nshow b\nplot c\n").encode()})
    assert [problem.message.split(":")[0] for problem in caught.value.problems] == [
        "x.dss line 4", "x.dss line 5", "x.dss line 6",
    ]  # fmt: skip


def test_files_that_call_each_other_are_refused() -> None:
    files = {"x.dss": (SOUND + "redirect y.dss").encode(), "y.dss": b"redirect x.dss"}
    with pytest.raises(FileFormatError, match=r"x.dss -> y.dss -> x.dss"):
        read_script(files)


def test_files_are_found_beside_the_one_that_asks() -> None:
    """Two files of one name in two folders, as the public test cases have their line codes."""
    files = {
        "13/main.dss": (SOUND + "redirect Codes.dss").encode(),
        "13/codes.dss": b"redirect ..\\Codes.DSS\nnew linecode.one nphases=1",
        "codes.dss": b"new linecode.two nphases=2",
    }
    assert read_script(files).commands[-2:] == ["new linecode.two nphases=2", "new linecode.one nphases=1"]


@pytest.mark.parametrize(
    ("files", "main", "said"),
    [
        ({"x.dss": b"new load.q bus1=a"}, "", "0 of the files make a circuit"),
        ({"x.dss": b"new load.q bus1=a"}, "x.dss", "it makes no circuit"),
        ({"x.dss": SOUND.encode()}, "z.dss", "no file 'z.dss'"),
        ({"x.dss": b"new circuit.x\0"}, "x.dss", "not text"),
        ({"x.dss": b" " * (MOST_BYTES + 1)}, "x.dss", "5 MB is the most"),
        ({"x.dss": b"\n" * 1_000_000}, "", "0 of the files make a circuit"),  # in a moment, however many lines
        (
            {"x.dss": SOUND.encode() + b"redirect y.dss\n" * 9, "y.dss": b"/*" + b"a" * 900_000},
            "",
            "more than 5 MB together",
        ),
        ({"x.dss": b"! \n" * 50_001}, "x.dss", "more than 50,000 lines"),
        ({"x.dss": b"new load.a bus1=a\n" * 20_001}, "x.dss", "more than 20,000 elements"),
    ],
)
def test_what_is_no_script_is_refused(files: dict[str, bytes], main: str, said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        read_script(files, main)


def test_what_a_feeder_cannot_hold_is_named() -> None:
    """All at once: a centre-tapped transformer, a line that turns phases, a capacitor in series."""
    text = SOUND + (
        "new transformer.t windings=3 buses=(a b c) kvs=(4.16 .24 .24)\n"
        "new line.turn phases=1 bus1=a.1 bus2=d.2 r1=1 x1=1\n"
        "new capacitor.row bus1=a bus2=e kvar=100 kv=4.16\n"
    )
    with pytest.raises(FileFormatError) as caught:
        read_dss({"x.dss": text.encode()})
    assert {problem.element for problem in caught.value.problems} == {"t", "turn", "row"}


def test_the_engine_s_own_refusal_is_passed_on() -> None:
    with pytest.raises(FileFormatError, match="OpenDSS refuses the script"):
        read_dss({"x.dss": (SOUND + "new line.m bus1=s bus2=q linecode=missing").encode()})


def test_a_child_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "child.py"
    child.write_text("import os; os._exit(11)")
    monkeypatch.setattr(dss_file, "_CHILD", child)
    with pytest.raises(FileFormatError, match="damaged or too large"):
        read_dss({"x.dss": SOUND.encode()})
