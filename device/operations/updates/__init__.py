# SPDX-License-Identifier: Apache-2.0
"""The work of an update, from finding one to switching over.

``make`` builds and signs the file at the maintainer's desk; ``sources`` finds one on a stick or at the clinic;
``install`` checks it, puts it beside the release in use, tries it and switches. The parts are in ``device.update``.
"""
