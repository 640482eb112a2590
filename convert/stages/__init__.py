# SPDX-License-Identifier: Apache-2.0
"""The stages of a build, each one command, which takes a run folder and the data folders and writes its result there.

``fitting``: train, quantise, calibrate. ``folds``: all of them for every grouped fold. ``release``: evaluate a run or a
bundle, and package it. ``own_images``: test a bundle on a hospital's own images. All other rooms of ``convert`` stand
below these and know nothing of them.
"""
