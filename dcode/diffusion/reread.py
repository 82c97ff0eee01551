"""Reading a full canvas once more: how likely each of its tokens is, now that all of them are in sight.

Shapes: N taken slots, L positions, V vocabulary.
"""

import torch
from torch import Tensor

from dcode.diffusion.canvas import Canvas
from dcode.diffusion.sampler import Predict


def read_again(canvas: Canvas, predict: Predict) -> Tensor:
    """The probability [L] of each taken slot's token, at temperature 1; 0 elsewhere. Takes one forward.

    It says something where the training had visible tokens that were wrong (arXiv 2512.15596).
    """
    logits_NV = predict(canvas.ids_L[None], canvas.taken_L[None])
    p_N = torch.softmax(logits_NV.float(), dim=-1).gather(1, canvas.ids_L[canvas.taken_L][:, None])[:, 0]
    return torch.zeros(len(canvas)).masked_scatter(canvas.taken_L, p_N)
