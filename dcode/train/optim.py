"""Two optimizers for one network: Muon for the layers' matrices, AdamW for embeddings and vectors."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.optim import AdamW, Muon, Optimizer

from dcode.model.load import quickest_precision
from dcode.train.config import TrainConfig


def optimizers(net: nn.Module, config: TrainConfig) -> tuple[Optimizer, ...]:
    """Muon (momentum orthogonalised by Newton-Schulz) and AdamW, with the rates of the configuration."""
    learned = {name: weight for name, weight in net.named_parameters() if weight.requires_grad}
    matrices = [weight for name, weight in learned.items() if weight.ndim == 2 and name.startswith("layers")]
    chosen = {id(weight) for weight in matrices}
    rest = [weight for weight in learned.values() if id(weight) not in chosen]
    # torch's Muon orthogonalises in bfloat16, which some CPUs only emulate.
    emulated = all(weight.device.type == "cpu" for weight in matrices) and quickest_precision() != "bfloat16"
    kind = WideMuon if emulated else Muon
    muon = kind(matrices, lr=config.matrix_rate, weight_decay=config.weight_decay, momentum=0.95)
    adam = AdamW(rest, lr=config.vector_rate, betas=(0.9, 0.95), weight_decay=0.0)
    return muon, adam


class WideMuon(Muon):
    """torch's Muon, but for the precision in which it orthogonalises: float32. Each resumes the other's state."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One update of all matrices; a closure is called first, with gradients, and its value returned."""
        value = None
        if closure is not None:
            with torch.enable_grad():
                value = closure()
        for group in self.param_groups:
            for weight in (weight for weight in group["params"] if weight.grad is not None):
                mean = self.state[weight].setdefault("momentum_buffer", torch.zeros_like(weight))
                mean.lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(mean, group["momentum"])
                change = orthogonal(ahead, group["ns_coefficients"], group["ns_steps"])
                rows, columns = weight.shape
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(change, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))
        return value


def orthogonal(matrix: Tensor, coefficients: Sequence[float], steps: int) -> Tensor:
    """`matrix` [rows, columns] with all singular values near one, by the Newton-Schulz iteration of Muon.

    The odd polynomial of the three coefficients is applied to the singular values `steps` times.
    """
    first, third, fifth = coefficients
    wide: Tensor = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(steps):
        square = wide @ wide.T
        wide = first * wide + (third * square + fifth * square @ square) @ wide
    return wide.T if matrix.shape[0] > matrix.shape[1] else wide


def set_rates(built: tuple[Optimizer, ...], factor: float) -> None:
    """Scale every group's first learning rate by `factor`."""
    for optimizer in built:
        for group in optimizer.param_groups:
            group.setdefault("first_lr", group["lr"])
            group["lr"] = group["first_lr"] * factor


def clip(net: nn.Module, largest: float = 1.0) -> float:
    """Clip the gradient's norm and return what it was."""
    return float(torch.nn.utils.clip_grad_norm_(net.parameters(), largest))
