"""A site's own vision and speech models over HTTP: asked where set, missed when they fail."""

import io
import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.api.client import Caller, Town, open_town, settings_for
from tests.recognition.services import Said, Service, service


class Site(NamedTuple):
    town: Town
    vision: Service
    speech: Service


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    var: Path = tmp_path_factory.mktemp("site") / "var"
    with service() as vision, service() as speech:
        settings = settings_for(
            var, vision_url=vision.url, speech_url=speech.url, model_seconds=5.0
        )
        with open_town(settings) as town:
            yield Site(town, vision, speech)


def silence() -> bytes:
    """A second of it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(32_000))
    return out.getvalue()


def recording(who: Caller) -> str:
    """A second of silence, uploaded."""
    answer = who.town.http.post(
        "/api/v1/recordings",
        files={"file": ("r.wav", silence(), "audio/wav")},
        headers=who._headers(None, None),
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["upload"])


def test_a_photo_alone_is_recognised_with_what_was_seen_on_it(site: Site) -> None:
    seen = {"candidates": [{"code": "P05", "confidence": 0.9, "because": "河面上的塑料瓶"}]}
    site.vision.completes(json.dumps(seen, ensure_ascii=False))
    one = site.town.anonymous()
    told = one.post("/recognitions", {"photos": [one.photo()["upload"]]}).json()
    assert told["proposals"][0]["indicator"] == "P05"
    assert told["proposals"][0]["because"] == ["照片上看到河面上的塑料瓶"]
    assert "vision-service" in {model["name"] for model in told["models"]}


def test_on_the_page_what_was_said_stands_in_the_field_for_words(site: Site) -> None:
    site.speech.says = Said('{"text": "盲道上停满了共享单车"}'.encode())
    base = str(site.town.http.base_url).rstrip("/")
    headers = {"Origin": base, "Accept": "text/html"}
    form = {"key": str(uuid4()), "place.address": "中关村广场", "do": "find"}
    sound = {"recording_file": ("r.wav", silence(), "audio/wav")}
    page = site.town.http.post("/report", data=form, files=sound, headers=headers).text
    assert "盲道上停满了共享单车</textarea>" in page and "录音听起来是" in page
    assert 'name="recording" value="' in page and 'data-proposed="P09"' in page


def test_what_was_said_is_a_transcript_to_correct_and_is_recognised(site: Site) -> None:
    site.speech.says = Said('{"text": "盲道上停满了共享单车"}'.encode())
    one = site.town.anonymous()
    told = one.post("/recognitions", {"recording": recording(one)}).json()
    assert told["transcript"] == "盲道上停满了共享单车"
    assert told["proposals"][0]["indicator"] == "P09"


def test_where_a_service_fails_a_person_chooses_and_health_tells(site: Site) -> None:
    site.vision.says = site.speech.says = Said(b"<html>", content_type="text/html")
    one = site.town.anonymous()
    form = {"photos": [one.photo()["upload"]], "recording": recording(one)}
    answer = one.post("/recognitions", form)
    assert answer.status_code == 200, answer.text
    assert answer.json()["proposals"] == [] and answer.json()["transcript"] is None
    assert any("视觉识别服务" in note for note in answer.json()["notes"])
    ready = site.town.http.get("/health/ready")
    assert ready.status_code == 200
    states = {one["name"]: one for one in ready.json()["recognition"]}
    assert states["vision-service"]["state"] == states["speech-service"]["state"] == "failing"
    assert "不是 JSON" in states["vision-service"]["note"]
    assert states["text"]["state"] == "ready"
