# SPDX-License-Identifier: Apache-2.0
"""Where frames come from: every source and every file ends in the same ``Frame``.

In reading order:

1. ``frame``: a ``Frame`` is one picture as its source delivered it, with the regions and the scale that the source
   states. ``Box`` and ``PixelSpacing`` are used by every room after this one.
2. ``sources``: a ``FrameSource`` delivers frames as they come (camera, grabber, folder); ``SupervisedSource`` watches
   over it on a thread, and ``ProcessSource`` holds one that can hang. ``discover`` says which sources there are.
3. ``files`` and ``dicom``: stored pictures and loops, each a ``FrameFile`` whose frames can be read at any place.
4. ``sandbox``: what decodes a file of unknown origin runs in a process without rights. ``SandboxedReader`` is the
   door that screens and commands use; they never open such a file themselves.
5. ``phantom``: frames of a made-up breast, for practice and for tests.
"""
