"""Write the pages of all contracts: python scripts/contract_docs.py [--check]

`--check` writes nothing; it ends with status 1 if a page differs from its contract.
"""

from __future__ import annotations

import sys

import cam_docs
import ciam_docs
import openstack_docs
import petadata_docs
import postgres_docs
from docs_tables import write

PAGES = {
    **postgres_docs.PAGES,
    **petadata_docs.PAGES,
    **openstack_docs.PAGES,
    **cam_docs.PAGES,
    **ciam_docs.PAGES,
}

if __name__ == "__main__":
    sys.exit(write(PAGES, __doc__))
