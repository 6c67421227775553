"""What the filters of Boltzmann machines look like, in numbers, task 4.1.6.

A filter is the 28 × 28 image of a hidden unit's weights on the pixels.
"""

import numpy as np

SIDE = 28
_SPOT, _RING = 2.5, 6.0  # pixels from the peak: the centre's radius, and the surround's


def strength(filters):
    """Standard deviation of each filter's weights, (units,)."""
    return np.std(filters, axis=1)


def contrast(filters):
    """Standard deviation of each filter's greys, (units,): of its weights over their range.

    What one sees where each filter is drawn from its lowest weight, black, to its highest, white.
    """
    return np.std(filters, axis=1) / np.ptp(filters, axis=1)


def elongation(filters):
    """How much longer than wide the strongest part of each filter is, (units,).

    The ratio of the axes of an ellipse with the second moments of the weights that have the sign
    of the strongest one and at least half its size, around it: 1 for a round spot, more for a
    stroke.
    """
    return np.array([_elongation(_upright(image)) for image in filters])


def surround(filters):
    """Mean weight in a ring around each filter's peak, over the mean in its centre, (units,).

    Below 0 where centre and surround have opposite signs; the centre reaches 2.5 pixels from the
    strongest weight, the ring from there to 6.
    """
    ratios = []
    for image in filters:
        image = _upright(image)
        distance = _distance(image)
        centre = image[distance <= _SPOT].mean()
        ratios.append(image[(distance > _SPOT) & (distance <= _RING)].mean() / centre)
    return np.array(ratios)


def _upright(image):
    """The filter as an image, with the sign that makes its strongest weight positive."""
    image = np.reshape(image, (SIDE, SIDE))
    return image * np.sign(image.ravel()[np.abs(image).argmax()])


def _distance(image):
    row, column = np.unravel_index(image.argmax(), image.shape)
    rows, columns = np.indices(image.shape)
    return np.hypot(rows - row, columns - column)


def _elongation(image):
    from scipy.ndimage import label

    parts, _ = label(image >= image.max() / 2)
    row, column = np.unravel_index(image.argmax(), image.shape)
    places = np.argwhere(parts == parts[row, column])
    # A pixel has a variance of its own, 1/12 in each direction.
    moments = np.cov(places.T, bias=True).reshape(2, 2) if len(places) > 1 else np.zeros((2, 2))
    small, large = np.linalg.eigvalsh(moments + np.eye(2) / 12)
    return float(np.sqrt(large / small))
