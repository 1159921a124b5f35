"""Lets Keras write the same bytes every time: a fixed clock, and shared_object_id without memory addresses."""

import contextlib
import datetime
import time
import types
import zipfile

from keras.src.saving import saving_lib, serialization_lib

MOMENT = datetime.datetime(2025, 1, 1, 12, 0, 0)


class _FixedDatetime:
    @staticmethod
    def now():
        return MOMENT


class _StableIds:
    """Stands in for id() and keeps its magnitude, which a reader must survive (up to 2**47)."""

    def __init__(self):
        self.numbers = {}
        self.alive = []

    def __call__(self, item):
        if id(item) not in self.numbers:
            self.numbers[id(item)] = 140_000_000_000_000 + 48 * len(self.numbers)
            self.alive.append(item)
        return self.numbers[id(item)]


@contextlib.contextmanager
def reproducible_saving():
    clock = types.SimpleNamespace(time=lambda: MOMENT.timestamp(), localtime=lambda _=None: MOMENT.timetuple())
    clock.strftime = time.strftime
    saved = saving_lib.datetime, zipfile.time
    saving_lib.datetime = types.SimpleNamespace(datetime=_FixedDatetime)
    zipfile.time = clock
    serialization_lib.id = _StableIds()
    try:
        yield
    finally:
        saving_lib.datetime, zipfile.time = saved
        del serialization_lib.id
