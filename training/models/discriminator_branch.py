"""A branch of either discriminator: some linear layers with one skip connection."""

from __future__ import annotations

from torch import Tensor, nn


class DiscriminatorBranch(nn.Module):
    """Linear layers with leaky ReLU; the skip runs from the first layer's output to the last hidden one's.

    Args:
        inputs: Numbers in.
        width: Of the hidden layers.
        layers: Hidden layers, two at the least.
        outputs: Numbers out.
    """

    def __init__(self, inputs: int, width: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.entry = nn.Sequential(nn.Linear(inputs, width), nn.LeakyReLU())
        hidden: list[nn.Module] = []
        for _ in range(layers - 1):
            hidden += [nn.Linear(width, width), nn.LeakyReLU()]
        self.hidden = nn.Sequential(*hidden)
        self.exit = nn.Linear(width, outputs)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) to (B, outputs)."""
        entered = self.entry(x)
        return self.exit(entered + self.hidden(entered))
