"""The networks of the benchmarks and of tests in PyTorch, written as its tutorials do.

Classifiers give logits, as PyTorch's cross-entropy wants them; images are (n, 1, 28, 28).
"""

import itertools
import sys

# PyTorch's CUDA builds import Triton with the first optimizer, for nothing here, and Triton's LLVM
# crashes beside TensorFlow's. None makes the import fail in the way that PyTorch expects.
sys.modules.setdefault("triton", None)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

LATENT = 10  # components of the GANs' codes


def perceptron(*sizes, between):
    """Linear layers of these sizes with the same modules between them, such as an activation."""
    modules = []
    for ends in itertools.pairwise(sizes):
        modules += [nn.Linear(*ends), *between]
    return nn.Sequential(*modules[:-len(between)])


class LSTMReadout(nn.Module):
    """An LSTM and a linear readout at every step: (1, steps, 80) → (1, steps, 1)."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(80, 100, batch_first=True)
        # PyTorch has two biases where Keras has one.
        nn.init.zeros_(self.lstm.bias_hh_l0).requires_grad_(False)
        self.readout = nn.Linear(100, 1)

    def forward(self, x):
        return self.readout(self.lstm(x)[0])


def pooled_convnet():
    """The convnet of Table 1."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, 10),
    )


def strided_convnet(dropout=(0.2, 0.4, 0.4, 0.0), pooling=False):
    """The convnet of task 3.2.2, or with pooling where it has strides."""
    modules, channels = [], 1
    blocks = zip((16, 32, 32, 64), (4, 4, 3, 2), (2, 2, 1, 1), (2, 1, 1, 0), dropout)
    for filters, kernel, stride, padding, rate in blocks:
        modules += [
            nn.Conv2d(channels, filters, kernel, 1 if pooling else stride, padding),
            nn.BatchNorm2d(filters), nn.ReLU(),
        ]
        if pooling and stride == 2:
            modules.append(nn.MaxPool2d(2, ceil_mode=True))
        if rate:
            modules.append(nn.Dropout(rate))
        channels = filters
    return nn.Sequential(*modules, nn.Flatten(), nn.Linear(2304, 100), nn.Linear(100, 10))


class VisionTransformer(nn.Module):
    """The vision transformer of task 3.3.2 on patches of 7×7 pixels."""

    def __init__(self, dim=128, depth=8, mlp_dim=128, heads=8):
        super().__init__()
        self.class_token = nn.Parameter(torch.randn(1, 1, dim))
        self.positions = nn.Parameter(torch.randn(1, 17, dim))
        self.embedding = nn.Linear(49, dim)
        self.blocks = nn.Sequential(*(_Block(dim, mlp_dim, heads) for _ in range(depth)))
        self.head = perceptron(dim, mlp_dim, 10, between=[nn.GELU()])

    def forward(self, images):
        patches = nn.functional.unfold(images, kernel_size=7, stride=7).transpose(1, 2)
        tokens = self.embedding(patches)
        tokens = torch.cat([self.class_token.expand(len(images), -1, -1), tokens], dim=1)
        return self.head(self.blocks(tokens + self.positions)[:, 0])


class _Block(nn.Module):
    def __init__(self, dim, mlp_dim, heads):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(dim)
        self.projection = nn.Linear(dim, 3 * dim, bias=False)
        self.output = nn.Linear(dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp = perceptron(dim, mlp_dim, dim, between=[nn.GELU()])

    def attention(self, x):
        batch, tokens, dim = x.shape
        parts = self.projection(x).chunk(3, dim=-1)
        q, k, v = (part.view(batch, tokens, self.heads, -1).transpose(1, 2) for part in parts)
        # On 17 tokens a training step is 7 to 10% slower by F.scaled_dot_product_attention.
        weights = torch.softmax(q @ k.transpose(-1, -2) * dim**-0.5, dim=-1)
        return self.output((weights @ v).transpose(1, 2).reshape(batch, tokens, dim))

    def forward(self, x):
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))


def dense_gan():
    """The GAN of task 4.2.1: generator of images from codes, discriminator that gives logits."""
    leaky, dropout = nn.LeakyReLU(0.2), nn.Dropout(0.3)
    return nn.ModuleDict({
        "generator": nn.Sequential(
            perceptron(LATENT, 256, 512, 1024, 784, between=[leaky]),
            nn.Tanh(), nn.Unflatten(1, (1, 28, 28)),
        ),
        "discriminator": nn.Sequential(
            nn.Flatten(), perceptron(784, 1024, 512, 256, 1, between=[leaky, dropout])
        ),
    })


def convolutional_gan():
    """The GAN of task 4.2.5, with the parts of ``dense_gan``."""
    def normalised(activation, *convolutions):
        return [module for layer in convolutions
                for module in (layer, nn.BatchNorm2d(layer.out_channels), activation)]

    return nn.ModuleDict({
        "generator": nn.Sequential(
            nn.Unflatten(1, (LATENT, 1, 1)),
            *normalised(
                nn.ReLU(), nn.ConvTranspose2d(LATENT, 320, 5),
                nn.ConvTranspose2d(320, 160, 5, 1, 1), nn.ConvTranspose2d(160, 10, 4, 2, 1),
            ),
            nn.ConvTranspose2d(10, 1, 4, 2, 1), nn.Tanh(),
        ),
        "discriminator": nn.Sequential(
            *normalised(
                nn.LeakyReLU(0.2), nn.Conv2d(1, 10, 4, 2, 1), nn.Conv2d(10, 160, 4, 2, 1),
                nn.Conv2d(160, 320, 5, 1, 1), nn.Conv2d(320, 10, 5),
            ),
            nn.Flatten(), nn.Linear(10, 1),
        ),
    })


class VAE(nn.Module):
    """The variational autoencoder of task 4.3: images (n, 784) → logits, mean, log-variance."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 1024)
        self.mean = nn.Linear(1024, 300)
        self.log_variance = nn.Linear(1024, 300)
        self.decoder = perceptron(300, 1024, 784, between=[nn.ReLU()])

    def forward(self, x):
        hidden = torch.relu(self.hidden(x))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        codes = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(codes), mean, log_variance


BUILDERS = {  # by the names of ``cases.Case.network``
    "surface": lambda: perceptron(2, 50, 50, 1, between=[nn.ReLU()]),
    "nar_mlp": lambda: perceptron(80, 100, 1, between=[nn.Tanh()]),
    "nar_lstm": LSTMReadout,
    "convnet": pooled_convnet,
    "strided_convnet": strided_convnet,
    "autoencoder": lambda: nn.Sequential(
        perceptron(784, 256, 784, between=[nn.Sigmoid()]), nn.Sigmoid()
    ),
    "autoencoder_classifier": lambda: perceptron(784, 256, 64, 10, between=[nn.Sigmoid()]),
    "vit": VisionTransformer,
    "gan": dense_gan,
    "conv_gan": convolutional_gan,
    "vae": VAE,
}


def copy_weights(model, network):
    """Put the weights of a Keras model, batch statistics too, into a PyTorch network."""
    weights = model.get_weights()
    if isinstance(network, VisionTransformer):
        # PyTorch lists what a module itself has before what its parts have.
        weights = weights[2:4] + weights[:2] + weights[4:]
    tensors = [
        tensor for name, tensor in network.state_dict().items()
        if not name.endswith(("num_batches_tracked", "bias_hh_l0"))  # Keras has neither
    ]
    channels = None  # of a convolution whose outputs the next dense layer takes
    for tensor, values in zip(tensors, weights, strict=True):
        # (row, column, in, out) → (out, in, row, column); transposed, in and out change places
        if values.ndim == 4:
            channels = values.shape[3]
            values = values.transpose(3, 2, 0, 1)
        elif values.ndim == 2:
            if channels:  # Keras flattens (row, column, channel), PyTorch (channel, row, column)
                units = values.shape[1]
                values = values.reshape(-1, channels, units).swapaxes(0, 1).reshape(-1, units)
                channels = None
            values = values.T
        if tensor.shape != values.shape:
            raise ValueError(f"weights of shape {values.shape} where {tuple(tensor.shape)} fit")
        tensor.copy_(torch.from_numpy(np.ascontiguousarray(values)))
