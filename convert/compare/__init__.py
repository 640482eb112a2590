# SPDX-License-Identifier: Apache-2.0
"""Every recipe on the same images: one run, one table, and the plots that belong to it.

A *recipe* is a system to compare (``convert.recipes``), a *protocol* a way to divide the images (``protocols``), and a
*task* one recipe under one protocol with one seed (``task``). ``plan`` makes the tasks, ``engine`` has them carried out
on one machine or a cluster (``carry_out``), each leaving a ``result`` file, so that an interrupted comparison goes on
where it was. ``cost`` adds speed and memory; ``output`` holds what people read.
Begin with ``command``.
"""
