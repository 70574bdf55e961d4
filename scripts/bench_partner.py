"""Prepares a fresh installation with one partner who may report, and prints the partner's key."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from api.access import READS, REPORTS
from api.accounts.principal import Principal, PrincipalKind
from api.preparing import prepare
from api.settings import Settings
from api.wiring import build, new_id, now
from casework.model import Role


def main() -> None:
    settings = Settings()
    prepare(settings)
    parts = build(settings)
    parts.audit.start()

    def staff(role: Role) -> Principal:
        return Principal(kind=PrincipalKind.STAFF, account_id=new_id(), roles=(role,))

    partner = new_id()
    parts.partners.create(partner, "bench", staff(Role.SYSADMIN), now())
    parts.partners.grant_scopes(partner, (REPORTS, READS), staff(Role.SECADMIN), now())
    issued = parts.partners.rotate_key(partner, new_id(), staff(Role.SYSADMIN), now())
    parts.audit.stop()
    parts.casework.close()
    parts.keys.close()
    parts.desk.close()
    print(issued.value)


if __name__ == "__main__":
    main()
