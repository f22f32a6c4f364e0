"""All the views, by the names that the command has for them."""

from __future__ import annotations

from collections.abc import Sequence

from vad.training.inspection import activations, embedding, gradients, occlusion, saliency, weights
from vad.training.inspection.network import InspectedAudio, InspectedNetwork
from vad.training.inspection.pictures import View
from vad.training.inspection.probe import analyse

__all__ = ["CLIP_VIEWS", "look"]

CLIP_VIEWS = {
    "gradients": gradients.inspect,
    "activations": activations.inspect,
    "saliency": saliency.inspect,
    "occlusion": occlusion.inspect,
    "embedding": embedding.inspect,
}


def look(network: InspectedNetwork, names: Sequence[str], clip: InspectedAudio | None) -> list[View]:
    """Looks into a network, one view a name.

    Args:
        network: The network.
        names: "weights", or a name in `CLIP_VIEWS`, for which there must be a clip.
        clip: What the network hears.

    Raises:
        AudioError: The clip is shorter than a frame.
    """
    views = [weights.inspect(network)] if "weights" in names else []
    if clip is not None:
        analysis = analyse(network, clip)
        views += [CLIP_VIEWS[name](analysis) for name in names if name in CLIP_VIEWS]
    return views
