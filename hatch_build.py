"""Building a wheel brings what the pages take from others, as `scripts/setup` does.

Where it cannot be brought the wheel is built without it, and says so: the pages do without.
"""

import runpy
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg] # hatchling's own affair
    """Runs scripts/assets.py of this tree."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Bring what is missing; `version` is "standard" or "editable"."""
        del version, build_data
        assets = runpy.run_path(str(Path(self.root) / "scripts" / "assets.py"))
        try:
            assets["bring"](Path(self.root))
        except (assets["NotBroughtError"], OSError) as error:
            self.app.display_warning(assets["told"](error))
