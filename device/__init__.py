# SPDX-License-Identifier: Apache-2.0
"""The handheld: from a frame to a finding on a touchscreen, kept safely and sent once.

Read it in the order in which a picture goes through it. ``capture`` gives a ``Frame``, ``imaging`` finds the
``Sonogram`` in it, ``inference`` makes a ``Finding`` of that, ``records`` keeps it as a ``View`` of an ``Exam``,
``dicom`` makes objects of a final exam, and ``upload`` or ``transfer`` take them to the clinic or onto a stick.
``system``, ``site`` and ``update`` look after the machine; ``operations`` is the work that both faces, ``ui`` and
``commands``, ask for. ``docs/architecture.md`` draws it.
"""

__version__ = "0.8.0"
