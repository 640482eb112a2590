# SPDX-License-Identifier: Apache-2.0
"""The index of exams: filled from the archive, asked by the worklist. It can be thrown away and made again.

``feeder`` notices what is new in the archive, ``writer`` puts what a study says into the table ``exam`` of the store,
beside what the clinic has done with it since, and ``search`` answers the worklist, page by page. What readers did is
not part of it: that is only in the store.
"""
