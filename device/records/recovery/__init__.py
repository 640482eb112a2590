# SPDX-License-Identifier: Apache-2.0
"""Opening the records, and what is done when a part of them is lost.

``opening`` is called at every start and says what it found in a ``StartReport``. Nothing is deleted here:
``identity`` proves that key file, database and frames belong together, what belongs to no exam goes into
``quarantine``, ``copies`` keeps a sealed copy of each exam beside the database, ``rebuild`` makes the database again
from them, and ``merge`` brings a backup in.
"""
