"""What every test starts from. Fixtures of a package are its own modules."""

from tests import profiles

profiles.load()
