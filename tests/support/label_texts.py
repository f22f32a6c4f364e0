"""Label files as the programs that make them write them."""

import base64
from typing import Any

EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2500"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2000"/><TIME_SLOT TIME_SLOT_ID="ts4"/>
  </TIME_ORDER>
  <TIER TIER_ID="anna-talk" PARTICIPANT="anna">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
        <ANNOTATION_VALUE>{text}</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <TIER TIER_ID="bert">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="{end}"/>
    </ANNOTATION>
  </TIER>
  <TIER TIER_ID="words" PARENT_REF="anna-talk">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts3"/>
    </ANNOTATION>
  </TIER>
</ANNOTATION_DOCUMENT>
"""

SVL = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE sonic-visualiser>
<sv>
  <data>
    <model id="8" name="" sampleRate="44100" start="14112" end="88200" type="sparse" dimensions="3" resolution="1" notifyOnAdd="true" dataset="7"  subtype="region" valueQuantization="0" minimum="0" maximum="1" units="" />
    <dataset id="7" dimensions="3">
      <point frame="14112" value="0" duration="40572" label="New Point" />
      <point frame="60000" value="0" duration="4410" label="noise" />
      <point frame="66150" value="1" duration="22050" label="a &amp; b" />
    </dataset>
  </data>
  <display>
    <layer id="5" type="regions" name="Regions" model="8"  verticalScale="1" plotStyle="0" />
  </display>
</sv>
"""  # noqa: E501

LHOTSE = """\
{"id": "a-1", "recording_id": "a", "start": 0.32, "duration": 0.92, "channel": 0, "text": "hi", "speaker": "anna"}
{"id": "a-2", "recording_id": "a", "start": 62.5, "duration": 0.5, "channel": [0, 1]}
"""

NEMO = """\
{"audio_filepath": "/x/a.wav", "offset": 0.32, "duration": 0.92, "label": "UNK", "uniq_id": "a"}
{"audio_filepath": "/x/a.wav", "offset": 62.5, "duration": 0.5, "label": "speech", "text": "-"}
{"audio_filepath": "/x/a.wav", "offset": 63.0, "duration": 5, "label": "background", "text": "_"}
"""


def region(start: float, end: float, *labels: str, identity: str = "x") -> dict[str, Any]:
    """A region as Label Studio exports it."""
    value = {"start": start, "end": end, "channel": 0, "labels": list(labels)}
    return {
        "original_length": 70.0, "value": value, "id": identity, "from_name": "label", "to_name": "audio",
        "type": "labels", "origin": "manual",
    }  # fmt: skip


def task(*annotations: dict[str, Any], audio: str = "/data/upload/1/3f2a1b4c-a.wav") -> dict[str, Any]:
    """A task as Label Studio exports it."""
    return {
        "id": 7, "annotations": list(annotations), "file_upload": "3f2a1b4c-a.wav", "drafts": [], "predictions": [],
        "data": {"note": "b", "audio": audio}, "meta": {}, "created_at": "2024-05-01T10:00:00.000000Z", "project": 1,
    }  # fmt: skip


def annotation(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    known = {"id": 3, "completed_by": 1, "was_cancelled": False, "ground_truth": False}
    return {**known, "result": list(results), **more}


TRANSCRIPT = {
    "value": {"start": 0.32, "end": 1.24, "channel": 0, "text": ["hi"]},
    "id": "x",
    "type": "textarea",
}

CHOICE = {"value": {"choices": ["clean"]}, "id": "z", "from_name": "quality", "type": "choices"}

FULL = task(
    annotation(TRANSCRIPT, region(0.32, 1.24, "anna"), CHOICE, region(5.0, 6.0, "Noise", identity="n")),
    annotation(region(1.0, 2.0, "anna", identity="c"), was_cancelled=True),
    annotation(region(62.5, 63.0, "Noise", "Speech", identity="y")),
)

MINIMAL = {
    "audio": "/data/local-files/?d=calls/a%20b.wav", "id": 7, "annotator": 1, "annotation_id": 3, "lead_time": 9.3,
    "label": [
        {"start": 0.32, "end": 1.24, "channel": 0, "labels": ["Speech"]},
        {"start": 62.5, "end": 63.0, "channel": 0, "labels": ["Speech"]},
        {"start": 3.5, "end": 4.0, "channel": 0, "labels": ["Music"]},
    ],
    "transcription": ["hi", "there"], "created_at": "2024-05-01T10:00:00.000000Z",
}  # fmt: skip

CTM = """\
;; CTM as sclite and Kaldi have it
call 1 0.32 0.50 hello 0.97 lex anna
call 1 0.82 0.42 there 0.9
call 1 1.3 0.1 %BREATH 0.9 non-lex
call * * * <ALT_BEGIN>
call A 1.50 0.5 you
call 1 2.5 0.2 <eps>
"""

STM = """\
;; CATEGORY "0" "" ""
call 1 inter_segment_gap 0 0.32 <o,,unknown>
call 1 anna 0.32 1.24 <o,f0,male> hello there
call A bert 1.50 2.00
call 1 excluded_region 2 5.5 <o,,unknown> ignore_time_segment_in_scoring
call 1 anna 5.5 6.5 <O> IGNORE_TIME_SEGMENT_IN_SCORING
"""

HTK = """\
0 3200000 sil
3200000 12400000 s-hello+sil -23.5 word
12400000 15000000 x-pau+b
15000000 20000000 ah
///
0 20000000 b
"""

MLF = """\
#!MLF!#
"*/call.lab"
3200000 12400000 hello
15000000 20000000 there
.
"*/other.rec"
0 20000000 sil
.
"""

SHORT_TEXTGRID = '''File type = "ooTextFile"
"TextGrid"

0 ! from 7 "s on
3
<exists>
3
"TextTier" "the 1st ""events""" 0 3 1
1.5 "a ""click"""
"IntervalTier"
"words"
0
3
3
0
1
""
1
2.5
"he said
""hello"""
2.5
3
"sil"
"IntervalTier" 2nd to last: "Speech" 0 3 2 0 0.5 "x" 0.5 3 " "
'''

# What Praat 6.4 saves: a tier of intervals with Latin-1 and UTF-16 texts, and one of points.
BINARY_TEXTGRID = base64.b64decode(
    "b29CaW5hcnlGaWxlCFRleHRHcmlkAAAAAAAAAABACAAAAAAAAAEAAAACDEludGVydmFsVGllcgAGc3BlZWNoAAAAAAAAAABACAAAAAAAAAAAAAQA"
    "AAAAAAAAAD/UeuFHrhR7AAA/1HrhR64Uez/z1wo9cKPXAAtoZWxsbyAieW91Ij/z1wo9cKPXP/gAAAAAAAAAAD/4AAAAAAAAQAgAAAAAAAD//wAR"
    "AEcAcgD8AN8AZQAsACAENwQ0BEAEMAQyBEEEQgQyBEMEOQhUZXh0VGllcgAGQ2xpY2tzAAAAAAAAAABACAAAAAAAAAAAAAE/5mZmZmZmZgAFY2xp"
    "Y2s="
)
