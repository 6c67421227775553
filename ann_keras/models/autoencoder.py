"""The stacked autoencoder of task 3.1.1: greedy layer-wise pre-training, then a classifier.

Source: Bengio, Lamblin, Popovici and Larochelle, "Greedy Layer-Wise Training of Deep Networks",
NIPS 2006. Each encoder is trained with a decoder of its own on the codes of the encoder below it;
then the decoders are dropped and a softmax layer is put on top.

The published settings name neither decoder nor initial weights. Here decoders are sigmoid, since
pixels and codes all lie in [0, 1], and weights start as in PyTorch: from there the classifier
phase fails, as the report says; from Keras' own it does not (it reaches 0.76 of the test images).
"""

import keras

from ann_keras.layers.initializers import pytorch_uniform
from ann_keras.models.boltzmann import check_rows


class StackedAutoencoder:
    """Sigmoid encoders, trained layer by layer, and a softmax classifier on top of them.

    Each phase is a method: ``pretrain(1, x)``, ``pretrain(2, x)``, …, ``train_classifier(x, y)``,
    ``fine_tune(x, y)``. It sets ``trainable`` of the layers, compiles the model of the phase and
    fits it, by any function that is called like ``keras.Model.fit``.

    Args:
        hidden_units: units of each encoder, from the pixels up.
        classes: outputs of the classifier.
        inputs: pixels of an image, given as one row of values in [0, 1].

    Attributes:
        classifier: Functional model, (n, inputs) → class probabilities (n, classes); as published
            784–256–64–10 with 218,058 parameters.
        autoencoders: list of Functional models, the k-th from its encoder's inputs to the same.

    Raises:
        ValueError: no encoder, or a size below one; and from methods, an encoder that does not
            exist or an array of another shape.
    """

    def __init__(self, hidden_units=(256, 64), classes=10, *, inputs=784):
        if not hidden_units or min(*hidden_units, classes, inputs) < 1:
            raise ValueError(
                "a stacked autoencoder needs at least one encoder and positive sizes, got "
                f"{inputs} inputs, hidden units {tuple(hidden_units)}, {classes} classes"
            )
        self.autoencoders, self._encoders, self._decoders = [], [], []
        images = codes = keras.Input((inputs,), name="pixels")
        features = inputs
        for layer, units in enumerate(hidden_units, start=1):
            encoder = _dense(units, features, "sigmoid", f"encoder_{layer}")
            decoder = _dense(features, units, "sigmoid", f"decoder_{layer}")
            below = keras.Input((features,), name=f"inputs_{layer}")
            outputs = decoder(encoder(below))
            self.autoencoders.append(keras.Model(below, outputs, name=f"autoencoder_{layer}"))
            self._encoders.append(encoder)
            self._decoders.append(decoder)
            codes, features = encoder(codes), units
        outputs = _dense(classes, features, "softmax", "probabilities")(codes)
        self.classifier = keras.Model(images, outputs, name="stacked_autoencoder")

    def encode(self, x, layer=None):
        """Codes of images x (n, inputs) in [0, 1].

        Args:
            layer: of the encoder, from 1; 0 gives the images back, None means the last one.

        Returns:
            NumPy array (n, units of that encoder), values in [0, 1].
        """
        layer = len(self._encoders) if layer is None else layer
        if not 0 <= layer <= len(self._encoders):
            raise ValueError(f"encoders are numbered 1 to {len(self._encoders)}, got {layer}")
        check_rows("images", x, self.classifier.input_shape[-1])
        for encoder in self._encoders[:layer]:
            x = encoder(x)
        return keras.ops.convert_to_numpy(x)

    def decode(self, codes):
        """Images (n, inputs) in [0, 1], NumPy, of codes of the last encoder by all decoders."""
        check_rows("codes", codes, self._encoders[-1].units)
        for decoder in reversed(self._decoders):
            codes = decoder(codes)
        return keras.ops.convert_to_numpy(codes)

    def pretrain(self, layer, x, *, optimizer, fit=keras.Model.fit, **options):
        """Train one encoder and its decoder to reproduce the codes of the encoder below it.

        Args:
            layer: of the encoder, from 1.
            x: images (n, inputs) in [0, 1], whichever the layer.
            optimizer: of Keras.
            fit: called as ``fit(model, codes, codes, **options)``.

        Returns:
            What ``fit`` returns, a History: "loss" is the mean squared error per pixel or code.
        """
        if not 1 <= layer <= len(self._encoders):
            raise ValueError(f"encoders are numbered 1 to {len(self._encoders)}, got {layer}")
        codes = self.encode(x, layer - 1)
        model = self.autoencoders[layer - 1]
        self._train_only(model.layers)
        model.compile(optimizer, loss="mse")
        return fit(model, codes, codes, **options)

    def train_classifier(self, x, y, *, optimizer, frozen=1, fit=keras.Model.fit, **options):
        """Train the softmax layer, and the encoders above the frozen ones.

        Args:
            x: images (n, inputs) in [0, 1].
            y: one-hot labels (n, classes).
            optimizer: of Keras.
            frozen: encoders that do not move, counted from the pixels: 1 as published, all of
                them to train the softmax layer alone (D7).
            fit: called as ``fit(model, x, y, **options)``.

        Returns:
            What ``fit`` returns, a History: "loss" is the cross-entropy in nats.
        """
        if not 0 <= frozen <= len(self._encoders):
            raise ValueError(f"frozen encoders must be 0 to {len(self._encoders)}, got {frozen}")
        check_rows("images", x, self.classifier.input_shape[-1])
        shape = len(x), self.classifier.output_shape[-1]
        if y.shape != shape:
            raise ValueError(f"labels must be one-hot rows of shape {shape}, got {y.shape}")
        kept = self._encoders[:frozen]
        self._train_only([layer for layer in self.classifier.layers if layer not in kept])
        self.classifier.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
        return fit(self.classifier, x, y, **options)

    def fine_tune(self, x, y, **options):
        """Train all encoders and the softmax layer; arguments as of ``train_classifier``."""
        return self.train_classifier(x, y, frozen=0, **options)

    def _train_only(self, trained):
        for layer in self.classifier.layers:
            layer.trainable = layer in trained


def _dense(units, inputs, activation, name):
    return keras.layers.Dense(units, activation, name=name, **pytorch_uniform(inputs))
