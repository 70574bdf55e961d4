"""Writes docs/openapi.json: the API's description as the app itself gives it."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from api.app import create_app  # noqa: E402  after the path is set
from api.commands.opening import opened  # noqa: E402  as above
from api.settings import Settings  # noqa: E402  as above

TARGET = ROOT / "docs" / "openapi.json"


def main() -> None:
    with TemporaryDirectory() as folder, opened(Settings(var=Path(folder) / "var")) as parts:
        described = create_app(parts).openapi()
    TARGET.write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
