"""All views by the names that the command has for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vad.training.inspection import activations, embedding, gradients, occlusion, saliency, weights
from vad.training.inspection.network import InspectedAudio, InspectedNetwork
from vad.training.inspection.pictures import View
from vad.training.inspection.probe import analyse

__all__ = ["AUDIO_VIEWS", "look"]

AUDIO_VIEWS = {
    "gradients": gradients.inspect,
    "activations": activations.inspect,
    "saliency": saliency.inspect,
    "occlusion": occlusion.inspect,
    "embedding": embedding.inspect,
}


def look(
    network: InspectedNetwork,
    names: Sequence[str],
    audio: InspectedAudio | None,
    on_view: Callable[[], object] = int,
) -> list[View]:
    """Makes the views of a network: "weights", or those in `AUDIO_VIEWS`, which need audio.

    Args:
        network: The network.
        names: Of the views.
        audio: The excerpt.
        on_view: Called after each view.

    Raises:
        AudioError: The excerpt is shorter than a frame.
    """
    views = []
    if "weights" in names:
        views.append(weights.inspect(network))
        on_view()
    if audio is not None:
        analysis = analyse(network, audio)
        for name in names:
            if name in AUDIO_VIEWS:
                views.append(AUDIO_VIEWS[name](analysis))
                on_view()
    return views
