"""The networks of the benchmarks and of tests in PyTorch, written as its tutorials do.

Classifiers give logits, as PyTorch's cross-entropy wants them; images are (n, 1, 28, 28).
"""

import sys

# PyTorch's CUDA builds import Triton with the first optimizer, for nothing here, and Triton's LLVM
# crashes beside TensorFlow's. None makes the import fail in the way that PyTorch expects.
sys.modules.setdefault("triton", None)

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402


def surface_mlp():
    """2–50–50–1, ReLU."""
    return nn.Sequential(
        nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 1)
    )


def nar_mlp():
    """80–100–1, tanh."""
    return nn.Sequential(nn.Linear(80, 100), nn.Tanh(), nn.Linear(100, 1))


class LSTMReadout(nn.Module):
    """An LSTM and a linear readout at every step: (1, steps, 80) → (1, steps, 1)."""

    def __init__(self, inputs=80, units=100):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True)
        # PyTorch has two biases where Keras has one.
        nn.init.zeros_(self.lstm.bias_hh_l0).requires_grad_(False)
        self.readout = nn.Linear(units, 1)

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
    for block, (filters, kernel) in enumerate(zip((16, 32, 32, 64), (4, 4, 3, 2))):
        stride = 2 if block < 2 else 1
        padding = (2, 1, 1, 0)[block]
        modules += [
            nn.Conv2d(channels, filters, kernel, 1 if pooling else stride, padding),
            nn.BatchNorm2d(filters), nn.ReLU(),
        ]
        if pooling and stride == 2:
            modules.append(nn.MaxPool2d(2, ceil_mode=True))
        if dropout[block]:
            modules.append(nn.Dropout(dropout[block]))
        channels = filters
    return nn.Sequential(*modules, nn.Flatten(), nn.Linear(2304, 100), nn.Linear(100, 10))


def autoencoder():
    """The first autoencoder of task 3.1.1, 784–256–784."""
    return nn.Sequential(nn.Linear(784, 256), nn.Sigmoid(), nn.Linear(256, 784), nn.Sigmoid())


def autoencoder_classifier():
    """The classifier of task 3.1.1, 784–256–64–10."""
    return nn.Sequential(
        nn.Linear(784, 256), nn.Sigmoid(), nn.Linear(256, 64), nn.Sigmoid(), nn.Linear(64, 10)
    )


class VisionTransformer(nn.Module):
    """The vision transformer of task 3.3.2 on patches of 7×7 pixels."""

    def __init__(self, dim=128, depth=8, mlp_dim=128, heads=8):
        super().__init__()
        self.class_token = nn.Parameter(torch.randn(1, 1, dim))
        self.positions = nn.Parameter(torch.randn(1, 17, dim))
        self.embedding = nn.Linear(49, dim)
        self.blocks = nn.Sequential(*(_Block(dim, mlp_dim, heads) for _ in range(depth)))
        self.head = nn.Sequential(nn.Linear(dim, mlp_dim), nn.GELU(), nn.Linear(mlp_dim, 10))

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
        self.mlp = nn.Sequential(nn.Linear(dim, mlp_dim), nn.GELU(), nn.Linear(mlp_dim, dim))

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


class GAN(nn.Module):
    """A generator of images from codes (n, 10), and a discriminator that gives logits."""

    latent_dim = 10

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator


def dense_gan():
    """The GAN of task 4.2.1."""
    return GAN(
        nn.Sequential(
            nn.Linear(GAN.latent_dim, 256), nn.LeakyReLU(0.2),
            nn.Linear(256, 512), nn.LeakyReLU(0.2), nn.Linear(512, 1024), nn.LeakyReLU(0.2),
            nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28)),
        ),
        nn.Sequential(
            nn.Flatten(), nn.Linear(784, 1024), nn.LeakyReLU(0.2), nn.Dropout(0.3),
            nn.Linear(1024, 512), nn.LeakyReLU(0.2), nn.Dropout(0.3),
            nn.Linear(512, 256), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(256, 1),
        ),
    )


def convolutional_gan():
    """The GAN of task 4.2.5."""
    return GAN(
        nn.Sequential(
            nn.Unflatten(1, (GAN.latent_dim, 1, 1)),
            nn.ConvTranspose2d(GAN.latent_dim, 320, 5), nn.BatchNorm2d(320), nn.ReLU(),
            nn.ConvTranspose2d(320, 160, 5, 1, 1), nn.BatchNorm2d(160), nn.ReLU(),
            nn.ConvTranspose2d(160, 10, 4, 2, 1), nn.BatchNorm2d(10), nn.ReLU(),
            nn.ConvTranspose2d(10, 1, 4, 2, 1), nn.Tanh(),
        ),
        nn.Sequential(
            nn.Conv2d(1, 10, 4, 2, 1), nn.BatchNorm2d(10), nn.LeakyReLU(0.2),
            nn.Conv2d(10, 160, 4, 2, 1), nn.BatchNorm2d(160), nn.LeakyReLU(0.2),
            nn.Conv2d(160, 320, 5, 1, 1), nn.BatchNorm2d(320), nn.LeakyReLU(0.2),
            nn.Conv2d(320, 10, 5), nn.BatchNorm2d(10), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(10, 1),
        ),
    )


class VAE(nn.Module):
    """The variational autoencoder of task 4.3: images (n, 784) → logits, mean, log-variance."""

    def __init__(self, latent_dim=300, hidden_dim=1024, pixels=784):
        super().__init__()
        self.hidden = nn.Linear(pixels, hidden_dim)
        self.mean = nn.Linear(hidden_dim, latent_dim)
        self.log_variance = nn.Linear(hidden_dim, latent_dim)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, pixels)
        )

    def forward(self, x):
        hidden = torch.relu(self.hidden(x))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        codes = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(codes), mean, log_variance


# By the names of ``cases.Case.network``.
BUILDERS = {
    "surface": surface_mlp,
    "nar_mlp": nar_mlp,
    "nar_lstm": LSTMReadout,
    "convnet": pooled_convnet,
    "strided_convnet": strided_convnet,
    "autoencoder": autoencoder,
    "autoencoder_classifier": autoencoder_classifier,
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
