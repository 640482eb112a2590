# SPDX-License-Identifier: Apache-2.0
"""From the sonogram to a finding: the bundle, the runtime that runs it, and what its outputs mean.

In reading order:

1. ``finding``: a ``Finding`` is all that the model says of one picture; its JSON form is a contract.
2. ``bundle`` and ``manifest``: a ``Bundle`` is a network with everything that its decisions need (calibration,
   limits, golden vectors, signature); ``load_bundle`` refuses one that is changed, untrusted or computes wrongly
   here.
3. ``runtime``: runs the int8 network once.
4. ``two_stage``: one pass of the network over the whole sonogram, then one over the lesion that it found.
5. ``ood``: out-of-distribution detection; what is no breast B-mode beyond the manifest's limits is not evaluable.
6. ``calibration`` and ``decision``: from logits to probabilities, from these to a ``ModelResult``;
   ``classifier``: ``Classifier.classify`` puts all of it together.
7. ``outline``, ``smoothing``: outline and long axis; one calm result for a live picture.
8. ``careful``, ``views``, ``pooling``: several networks on a frozen frame, several views of a lesion, and how their
   answers are averaged. ``site``: what a hospital has fitted to its own scanner and cases.
"""
