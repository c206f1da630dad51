"""What a view shows, read from its HTML."""

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
from ase.build import molecule
from PIL import Image

import tutor

ETHANOL = molecule("CH3CH2OH")
FORCES = np.random.default_rng(0).normal(size=(9, 3))


class Page(HTMLParser):
    """Tags with attributes, and the text inside scripts."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.scripts = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and data.strip():
            self.scripts.append(data)

    def __getitem__(self, wanted):
        return [attrs for tag, attrs in self.tags if tag == wanted]


def html_of(*structures, **options):
    return tutor.view(*structures, **options)._repr_html_()


def pages(html):
    return [Page(frame["srcdoc"]) for frame in Page(html)["iframe"]]


def scenes(*structures, **options):
    """What the pages of a view draw."""
    found = [
        re.search(r"const scene = (.*);\n", page.scripts[0])[1]
        for page in pages(html_of(*structures, **options))
    ]
    return [json.loads(text) for text in found]


def stills(html):
    return [b64decode(image["src"].partition(",")[2]) for image in Page(html)["img"]]


def pixels(html):
    return np.asarray(Image.open(BytesIO(stills(html)[0])).convert("RGBA"))
