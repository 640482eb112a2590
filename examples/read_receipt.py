# SPDX-License-Identifier: Apache-2.0
"""Read a receipt, the clinic's proof that it has an exam: ``python examples/read_receipt.py RECEIPT.json``.

The receipt of a sent exam is kept with it; ``python -m device upload --status --json`` shows each as ``receipt``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from device.upload.receipt import Receipt


def main(path: Path) -> None:
    """Print the study, and every instance with the digest that was compared."""
    receipt = Receipt.from_json(path.read_text("utf-8"))
    print(f"study {receipt.study_uid} at {receipt.archive}: {len(receipt.instances)} instances confirmed")
    for instance in receipt.instances:
        print(f"  {instance.sop_uid} {instance.confirmed_at:%Y-%m-%d %H:%M} sha256 {instance.sha256[:16]}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/read_receipt.py RECEIPT.json")
    main(Path(sys.argv[1]))
