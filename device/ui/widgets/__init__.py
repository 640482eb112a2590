# SPDX-License-Identifier: Apache-2.0
"""The widgets: what a screen is built from.

A ``Widget`` has a place, draws itself and takes what a finger does (``base``); one that can be tapped is a
``Touchable`` and calls an ``Action``. ``Column``, ``Row``, ``Grid`` and ``Card`` lay others out (``layout``). A
screen's root is a ``Page`` with a title and a ``ScrollView`` in it, or a ``PicturePage`` around an ``ImageView``.

* ``lists``: what scrolls and lays out pages.
* ``entry``: what a person enters something with.
* ``picture``: a picture and what is drawn over it.

Screens import from here what many of them use; what one or two need, they take from its module. A widget knows colours,
lengths and text (``device.ui.theme``) and nothing of exams, except those in ``picture`` that show a finding.
"""

from device.ui.widgets.banner import Banner
from device.ui.widgets.base import Action, Touchable, Widget
from device.ui.widgets.button import Button, Kind
from device.ui.widgets.dialog import Dialog
from device.ui.widgets.entry.choice import Choice
from device.ui.widgets.entry.pin_pad import PinPad
from device.ui.widgets.entry.slider import Slider
from device.ui.widgets.entry.text_field import TextField
from device.ui.widgets.entry.toggle import Toggle
from device.ui.widgets.icons import icon
from device.ui.widgets.label import Label
from device.ui.widgets.layout import Card, Column, Grid, Row, Spacer
from device.ui.widgets.lists.facts import Facts
from device.ui.widgets.lists.field_row import FieldRow
from device.ui.widgets.lists.list_view import ListRow, ListView
from device.ui.widgets.lists.page import Page
from device.ui.widgets.lists.scroll_view import ScrollView
from device.ui.widgets.lists.work_page import WorkPage
from device.ui.widgets.overlay import Overlay
from device.ui.widgets.picture.body_map_view import BodyMapView
from device.ui.widgets.picture.glass import Glass
from device.ui.widgets.picture.image_view import Drawing, ImageView
from device.ui.widgets.picture.picture_page import PicturePage
from device.ui.widgets.picture.picture_pane import PicturePane
from device.ui.widgets.progress_bar import ProgressBar
from device.ui.widgets.tool_button import ToolButton

__all__ = [
    "Action",
    "Banner",
    "BodyMapView",
    "Button",
    "Card",
    "Choice",
    "Column",
    "Dialog",
    "Drawing",
    "Facts",
    "FieldRow",
    "Glass",
    "Grid",
    "ImageView",
    "Kind",
    "Label",
    "ListRow",
    "ListView",
    "Overlay",
    "Page",
    "PicturePage",
    "PicturePane",
    "PinPad",
    "ProgressBar",
    "Row",
    "ScrollView",
    "Slider",
    "Spacer",
    "TextField",
    "Toggle",
    "ToolButton",
    "Touchable",
    "Widget",
    "WorkPage",
    "icon",
]
