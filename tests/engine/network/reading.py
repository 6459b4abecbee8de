"""What the tests of reading share: a small CSV pair, and what a refusal says."""

import pytest

from engine.errors import FileFormatError
from engine.network.readers import Imported, read_network

BUSES = "bus,name,slack,load_mw,lon,lat\n1,Nord,true,,10.0,50.0\n2,Süd,,40.5,10.5,50.2\n"
BRANCHES = "from,to,x,rate_a,rate_b\n1,2,0.1,100,\n1,2,0.2,,80\n"
UNITS = "bus,pmax,c1\n1,90,20\n"


def pair(buses: str | bytes = BUSES, branches: str | bytes = BRANCHES, **more: str | bytes) -> Imported:
    files = {"branches.csv": branches, **{f"{name}.csv": text for name, text in more.items()}}
    as_bytes = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    return read_network("buses.csv", buses.encode() if isinstance(buses, str) else buses, as_bytes)


def refusal(filename: str, content: bytes, **companions: bytes) -> str:
    with pytest.raises(FileFormatError) as refused:
        read_network(filename, content, {f"{name}.csv": data for name, data in companions.items()})
    assert refused.value.problems
    assert all(problem.message for problem in refused.value.problems)
    return "; ".join(problem.message for problem in refused.value.problems)
