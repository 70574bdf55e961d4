"""Reads a service with GDAL's OAPIF driver in a process of its own; prints what it found as JSON.

GDAL waits for answers without letting go of the interpreter, so that a server in the same process
could never give one.
"""

import json
import sys

import geopandas
import pyogrio


def main() -> None:
    asked = json.loads(sys.argv[1])
    source = f"OAPIF:{asked['address']}"
    if asked["layer"] is None:
        found: object = {
            "drivers": pyogrio.list_drivers(read=True),
            "layers": [name for name, _ in pyogrio.list_layers(source)],
        }
    else:
        box = tuple(asked["bbox"]) if asked["bbox"] else None
        read = geopandas.read_file(source, layer=asked["layer"], bbox=box, **asked["options"])
        code = read.crs.to_epsg() if read.crs is not None else None
        features = json.loads(read.to_json(drop_id=True))["features"] if len(read) else []
        found = {"epsg": code, "features": features}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
