# SPDX-License-Identifier: Apache-2.0
"""Decoding in a process that can be killed: files of unknown origin never meet a decoder inside the app.

``reader.SandboxedReader`` is what others use. It starts ``process`` (the parent's side), which starts ``worker`` (the
child's); ``lock`` takes away the child's rights (seccomp, Landlock, limits of memory and time), and ``wire`` is how
the two speak: plain numbers and bytes, no objects.
"""
