"""Two optimizers for one network: Muon for the layers' matrices, AdamW for embeddings and vectors."""

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from dcode.train.config import TrainConfig


def optimizers(net: nn.Module, config: TrainConfig) -> tuple[Optimizer, ...]:
    """Muon (momentum orthogonalised by Newton-Schulz) and AdamW, with the rates of the configuration."""
    learned = {name: weight for name, weight in net.named_parameters() if weight.requires_grad}
    matrices = [weight for name, weight in learned.items() if weight.ndim == 2 and name.startswith("layers")]
    chosen = {id(weight) for weight in matrices}
    rest = [weight for weight in learned.values() if id(weight) not in chosen]
    muon = Muon(matrices, lr=config.matrix_rate, weight_decay=config.weight_decay, momentum=0.95)
    adam = AdamW(rest, lr=config.vector_rate, betas=(0.9, 0.95), weight_decay=0.0)
    return muon, adam


def set_rates(built: tuple[Optimizer, ...], factor: float) -> None:
    """Scale every group's first learning rate by `factor`."""
    for optimizer in built:
        for group in optimizer.param_groups:
            group.setdefault("first_lr", group["lr"])
            group["lr"] = group["first_lr"] * factor


def clip(net: nn.Module, largest: float = 1.0) -> float:
    """Clip the gradient's norm and return what it was."""
    return float(torch.nn.utils.clip_grad_norm_(net.parameters(), largest))
